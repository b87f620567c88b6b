//! The configuration: where it comes from, and what it says is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use deepsearch_gateway::Config;
use secrecy::ExposeSecret;
use tempfile::TempDir;

const GOOD: &str = r#"
public_url = "https://sign-in.example.org"
cookie_key = "a key that is long enough to seal cookies with"

[database]
url = "postgres://deepsearch_gateway:hunter2hunter2@db.example.org/team"

[providers.discord]
client_id = "1122334455667788990"
client_secret = "the secret of Discord"
"#;

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let (_folder, path) = file(text);
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(Some(&path), &environment).map_err(|error| error.problems)
}

#[test]
fn a_small_file_is_enough_and_the_rest_is_safe() {
    let config = load(GOOD, &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.database.devices.host, "db.example.org");
    assert_eq!(config.database.devices.name, "team");
    assert_eq!(config.database.devices.sslmode, "verify-full");
    assert!(!config.providers[0].link_verified_email);
    assert!(config.metrics_listen.is_none() && config.email.is_none() && config.trusted_proxies.is_empty());
}

#[test]
fn the_environment_stands_over_the_file_and_secrets_come_from_files_of_their_own() {
    let (_folder, secret) = file("a secret of a file\n");
    let config = load(
        GOOD,
        &[
            ("DEEPSEARCH_GATEWAY_LISTEN", "0.0.0.0:9000"),
            ("DEEPSEARCH_GATEWAY_PROVIDERS__DISCORD__CLIENT_ID", "42"),
            (
                "DEEPSEARCH_GATEWAY_PROVIDERS__DISCORD__CLIENT_SECRET_FILE",
                secret.to_str().unwrap(),
            ),
            ("DEEPSEARCH_GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.1"),
            (
                "DEEPSEARCH_GATEWAY_PROVIDERS__COMPANY__ISSUER",
                "https://id.example.org/realms/us",
            ),
            ("DEEPSEARCH_GATEWAY_PROVIDERS__COMPANY__CLIENT_ID", "gateway"),
            ("DEEPSEARCH_GATEWAY_LIMITS__ATTEMPTS_PER_MINUTE", "7"),
            ("DEEPSEARCH_GATEWAY_LOG", "debug"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:9000");
    let discord = config
        .providers
        .iter()
        .find(|provider| provider.id == "discord")
        .unwrap();
    assert_eq!(discord.client_id, "42");
    assert_eq!(
        discord.client_secret.as_ref().unwrap().expose_secret(),
        "a secret of a file"
    );
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.limits.attempts_per_minute, 7);
    assert!(config.providers.iter().any(|provider| provider.id == "company"));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_no_value_is_repeated() {
    let problems = load(
        r#"
public_url = "http://sign-in.example.org/path"
cookie_key = "hunter2"
listen = "hunter2"
colour = "hunter2"
[database]
url = "mysql://root:hunter2@db/team"
[database.devices]
sslmode = "prefer"
host = "db.example.org"
[redis]
url = "redis://:hunter2@redis.example.org"
[email]
server = "smtp.example.org"
security = "none"
from = "hunter2"
user = "hunter2"
[providers.discord]
client_id = "1"
[providers.company]
client_id = "1"
clientsecret = "hunter2"
"#,
        &[],
    )
    .unwrap_err();
    let told = problems.join("\n");
    for expected in [
        "`public_url` must begin with `https://`",
        "`cookie_key` is too short",
        "`listen` must be an address and a port",
        "`colour` is not a setting.",
        "`database.url` is not an address of PostgreSQL",
        "`database.devices.sslmode` must be `verify-full`",
        "`redis.url` must hold no user and password",
        "`redis.password` is missing",
        "`redis.url` must begin with `rediss://`",
        "`email.security` may be `none` only for a server on this machine",
        "`email.from` is no mail address",
        "`email.user` and `email.password` belong together",
        "`providers.discord.client_secret` is missing",
        "`providers.company.issuer` is missing",
        "`providers.company.clientsecret` is not a setting. Did you mean `client_secret`?",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn what_is_missing_is_named_with_what_it_is() {
    let told = load("", &[]).unwrap_err().join("\n");
    for expected in [
        "`public_url` is missing: the address at which browsers find this gateway",
        "`cookie_key` is missing: what seals cookies, the same on every gateway; `openssl rand -base64 48` makes one.",
        "The section `database` is missing",
        "There is no way to sign in",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_without_quoting_it() {
    let told = load("public_url = \"https://x.example\"\ncookie_key = hunter2\n", &[])
        .unwrap_err()
        .join("\n");
    assert!(
        told.contains("is not valid TOML in line 2") && !told.contains("hunter2"),
        "{told}"
    );
    let both = format!("{GOOD}client_secret_file = \"/nowhere\"\n");
    let told = load(&both, &[]).unwrap_err().join("\n");
    assert!(
        told.contains("Both `providers.discord.client_secret_file` and the setting itself are given"),
        "{told}"
    );
    let missing = GOOD.replace(
        "client_secret = \"the secret of Discord\"",
        "client_secret_file = \"/nowhere\"",
    );
    let told = load(&missing, &[]).unwrap_err().join("\n");
    assert!(
        told.contains("`providers.discord.client_secret_file`: `/nowhere` cannot be read"),
        "{told}"
    );
}

#[test]
fn the_program_checks_a_configuration_and_ends() {
    let program = env!("CARGO_BIN_EXE_deepsearch-gateway");
    let check = |text: &str| {
        let (_folder, path) = file(text);
        let mut command = Command::new(program);
        command.env_clear().arg("--check-config").arg("--config").arg(&path);
        let output = command.output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&told).into_owned())
    };
    assert_eq!(check(GOOD), (Some(0), "The configuration is in order.\n".to_owned()));
    let (code, told) = check("listen = 5\n");
    assert_eq!(code, Some(1));
    assert!(told.contains("`listen` must be an address and a port"), "{told}");
}
