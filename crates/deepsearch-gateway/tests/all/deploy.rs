//! What an administrator starts from: the files of `deploy/` belong together, and the guide leads through those that are
//! there. Containers themselves are not started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use deepsearch_gateway::Config;
use deepsearch_servers::Postgres;
use regex::Regex;
use tempfile::TempDir;

use crate::support::missing;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a pattern's first group finds, once each.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn only(pattern: &str, text: &str) -> String {
    let found = all(pattern, text);
    assert_eq!(found.len(), 1, "{pattern}: {found:?}");
    found.into_iter().next().unwrap()
}

/// A secret of each name that a text reads one from, in a folder of its own, and the text with their places.
fn with_secrets(text: &str, places: &[&str]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = text.to_owned();
    for place in places {
        for name in all(&format!(r"{}/([\w.]+)", regex::escape(place)), &text) {
            let secret = match name.as_str() {
                "database_url" => "postgres://deepsearch_gateway:secret@postgres/deepsearch?sslmode=require",
                "authority.pem" => "-----BEGIN CERTIFICATE-----",
                _ => "a secret that is long enough to seal cookies with",
            };
            std::fs::write(folder.path().join(name), secret).unwrap();
        }
        text = text.replace(place, folder.path().to_str().unwrap());
    }
    (folder, text)
}

fn load(toml: &str, environment: &BTreeMap<String, String>) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, toml).unwrap();
    Config::load(Some(&path), environment).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_configuration_is_in_order_as_it_is_and_with_all_that_it_offers() {
    let toml = read("deploy/gateway.toml");
    let places = ["/run/secrets", "/etc/deepsearch"];
    let (_secrets, as_it_is) = with_secrets(&toml, &places);
    let config = load(&as_it_is, &BTreeMap::new());
    assert_eq!(config.providers.len(), 1);
    let offered = Regex::new(r"(?m)^# (\[[a-z.]+\]|[a-z_]+ = .*)$").unwrap();
    let (_secrets, all_of_it) = with_secrets(&offered.replace_all(&toml, "$1"), &places);
    let config = load(&all_of_it, &BTreeMap::new());
    assert_eq!(config.providers.len(), 4);
    assert!(config.redis.is_some() && config.email.is_some());
    assert!(config.database.devices.pooled && config.database.devices.sslrootcert.is_some());
}

#[test]
fn the_service_of_systemd_gives_its_secrets_by_settings_that_there_are() {
    let unit = read("deploy/deepsearch-gateway.service");
    // Each credential is a file of the folder that `%d` stands for.
    let credentials = all(r"(?m)^LoadCredential=(\w+):/etc/deepsearch/secrets/\w+$", &unit);
    let (_secrets, placed) = with_secrets(&unit, &["%d"]);
    let given = Regex::new(r"(?m)^Environment=(\w+)=(.+)$").unwrap();
    let environment: BTreeMap<String, String> = given
        .captures_iter(&placed)
        .map(|found| (found[1].to_owned(), found[2].to_owned()))
        .collect();
    assert_eq!(all(r"%d/(\w+)", &unit), credentials);
    assert_eq!(environment.len(), credentials.len());
    // Its own secrets are elsewhere, so that it is in order by the variables alone.
    load(&read("deploy/gateway.toml"), &environment);
}

#[test]
fn every_variable_is_one_that_a_program_of_ours_knows() {
    let (settings, folder) = (read("guide/settings.md"), read("guide/data-folder.md"));
    for file in ["compose.yaml", "Dockerfile", "deepsearch-gateway.service"] {
        for variable in all(r"\b(DEEPSEARCH_\w+)", &read(&format!("deploy/{file}"))) {
            // The test above is for the gateway's.
            let is_known = variable.starts_with("DEEPSEARCH_GATEWAY_") && file.ends_with(".service")
                || folder.contains(&format!("`{variable}`"))
                || settings.contains(&format!("`{}`", setting(&variable)));
            assert!(is_known, "{file}: {variable}");
        }
    }
}

/// As the command names what a variable sets.
fn setting(variable: &str) -> String {
    let name = variable.trim_start_matches("DEEPSEARCH_").to_ascii_lowercase();
    name.replace("__", ".")
}

#[test]
fn what_containers_are_given_is_there_or_the_guide_makes_it() {
    let (compose, guide) = (read("deploy/compose.yaml"), read("guide/gateway.md"));
    let made = only(r"(?m)^mkdir -p (.+)$", &guide);
    let mounted = all(r"[\[-] ?\./([\w.]+):", &compose);
    assert!(mounted.len() >= 5, "{mounted:?}");
    for path in &mounted {
        let is_there = root().join("deploy").join(path).is_file();
        assert!(is_there || made.split(' ').any(|folder| folder == path), "{path}");
    }
    // Those that hold secrets are neither committed nor sent to whoever builds the image.
    for folder in made.split(' ') {
        for list in [".gitignore", ".dockerignore"] {
            let listed = read(list)
                .lines()
                .any(|line| line.trim_matches('/') == format!("deploy/{folder}"));
            assert!(listed, "{list}: deploy/{folder}");
        }
    }
    let secrets = all(r"\{ file: secrets/(\w+) \}", &compose);
    let written = all(r"(?m)> secrets/(\w+)$", &guide);
    assert!(secrets.is_subset(&written), "{secrets:?} {written:?}");
    let shown = only(r"secrets: \[(cookie_key[^\]]*)\]", &compose);
    let shown: BTreeSet<String> = shown.split(", ").map(str::to_owned).collect();
    let read_by_it = all(r#"(?m)^[a-z_]+ = "/run/secrets/(\w+)"$"#, &read("deploy/gateway.toml"));
    assert_eq!(shown, read_by_it, "what the gateway is shown is what it reads");
    assert!(root().join(only(r"dockerfile: ([\w/]+)", &compose)).is_file());
}

#[test]
fn the_network_and_the_ports_are_the_same_wherever_they_are_named() {
    let (compose, toml, rules) = (
        read("deploy/compose.yaml"),
        read("deploy/gateway.toml"),
        read("deploy/pg_hba.conf"),
    );
    let network = only(r"subnet: ([\d./]+)", &compose);
    assert_eq!(only(r#"trusted_proxies = \["([^"]+)"\]"#, &toml), network);
    assert_eq!(only(r"(\d+\.\d+\.\d+\.\d+/\d+) +scram-sha-256", &rules), network);
    let gateway = only(r"gateway: ([\d.]+) \}", &compose);
    assert_eq!(only(r"(\d+\.\d+\.\d+\.\d+)/32 +reject", &rules), gateway);
    let listens = only(r#"(?m)^listen = "0\.0\.0\.0:(\d+)""#, &toml);
    let metrics = only(r#"(?m)^metrics_listen = "0\.0\.0\.0:(\d+)""#, &toml);
    assert_eq!(
        all(r"gateway(?:-2)?:(\d+)", &read("deploy/Caddyfile")),
        [listens.clone()].into()
    );
    let exposed = only(r"(?m)^EXPOSE (.+)$", &read("deploy/Dockerfile"));
    assert_eq!(exposed, format!("{listens} {metrics}"));
}

#[test]
fn the_image_is_built_with_a_compiler_that_is_new_enough() {
    let minor = |text: &str| {
        text.split('.')
            .nth(1)
            .and_then(|minor| minor.parse::<u32>().ok())
            .unwrap()
    };
    let needed = only(r#"(?m)^rust-version = "([\d.]+)""#, &read("Cargo.toml"));
    let image = only(r"(?m)^FROM rust:([\d.]+)", &read("deploy/Dockerfile"));
    assert!(minor(&image) >= minor(&needed), "{image} {needed}");
}

#[test]
fn the_guide_leads_through_files_and_services_that_there_are() {
    let (guide, compose) = (read("guide/gateway.md"), read("deploy/compose.yaml"));
    let files = all(r"`(?:deploy/)?([\w-]+\.(?:toml|yaml|conf|service))`", &guide);
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        assert!(root().join("deploy").join(file).is_file(), "{file}");
    }
    let services = all(r"(?m)^  ([a-z0-9-]+):", &compose);
    let named = all(
        r"docker compose (?:up|run|exec)(?: --[a-z]+)* ([a-z][a-z0-9-]*)",
        &guide,
    );
    assert!(named.len() >= 3 && named.is_subset(&services), "{named:?} {services:?}");
}

#[test]
fn postgresql_takes_who_may_reach_it() {
    let Some(server) = Postgres::start().unwrap() else {
        return missing("PostgreSQL");
    };
    let rules = read("deploy/pg_hba.conf");
    // The rules that it started with hold until it is told to read them anew; the view reads the file.
    std::fs::write(server.data().join("pg_hba.conf"), &rules).unwrap();
    // This server has no certificate, which is no fault of the rules.
    let told = Command::new(server.programs().join("psql"))
        .args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--dbname",
            &server.url("postgres"),
            "--command",
        ])
        .arg(
            "select count(*) || coalesce(string_agg(line_number || ': ' || error, ', ')
                filter (where error not like '%SSL is disabled'), '') from pg_hba_file_rules",
        )
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let lines = rules
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .count();
    assert_eq!(told.trim(), lines.to_string());
}
