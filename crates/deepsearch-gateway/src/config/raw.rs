//! From tables of text to a configuration that can be relied on.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use toml::Table;
use url::Url;

use super::section::{Problems, Section, is_this_machine};
use super::{
    Config, ConfigError, Database, DeviceDatabase, Email, Limits, MailSecurity, Provider, ProviderKind, Redis,
};

const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8787);
/// What seals cookies is derived from so many bytes.
const KEY_BYTES: usize = 32;
const KEY_HINT: &str = "`openssl rand -base64 48` makes one";

pub(super) fn check(table: Table) -> Result<Config, ConfigError> {
    let mut problems = Problems::new();
    let config = sections(Section::root(table), &mut problems);
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(ConfigError { problems }),
    }
}

/// Reads every section before giving up, so that all problems are told at once.
fn sections(mut root: Section, problems: &mut Problems) -> Option<Config> {
    let public_url = public_url(&mut root, problems);
    let listen = root.value("listen", "an address and a port such as `127.0.0.1:8787`", problems);
    let metrics_listen = root.value(
        "metrics_listen",
        "an address and a port such as `127.0.0.1:9787`",
        problems,
    );
    let cookie_key = cookie_key(&mut root, problems);
    let trusted_proxies = proxies(&mut root, problems);
    let database = database(&mut root, problems);
    let redis = root.part("redis", problems).map(|section| redis(section, problems));
    let email = root.part("email", problems).map(|section| email(section, problems));
    let sections = root.part("providers", problems);
    let parts = sections.map(|section| section.parts(problems)).unwrap_or_default();
    let none = parts.is_empty() && email.is_none();
    let providers: Vec<Option<Provider>> = parts
        .into_iter()
        .map(|(id, section)| provider(id, section, problems))
        .collect();
    if none {
        problems.push(
            "There is no way to sign in: add a section `providers.discord`, `providers.google`, `providers.github`, \
             one for an OpenID Connect issuer, or `email`."
                .to_owned(),
        );
    }
    let limits = limits(root.part("limits", problems), problems);
    root.finish(problems);
    Some(Config {
        public_url: public_url?,
        listen: listen.unwrap_or_else(|| SocketAddr::from(LISTEN)),
        metrics_listen,
        trusted_proxies,
        cookie_key: cookie_key?,
        database: database?,
        redis: transpose(redis)?,
        email: transpose(email)?,
        providers: providers.into_iter().collect::<Option<_>>()?,
        limits,
    })
}

/// A section that is there must be right.
fn transpose<T>(section: Option<Option<T>>) -> Option<Option<T>> {
    match section {
        None => Some(None),
        Some(Some(section)) => Some(Some(section)),
        Some(None) => None,
    }
}

fn public_url(root: &mut Section, problems: &mut Problems) -> Option<Url> {
    root.demand(
        "public_url",
        "the address at which browsers find this gateway, such as `https://sign-in.example.org`",
        problems,
    )?;
    let url = root.safe_url("public_url", problems)?;
    if url.path() != "/" || url.query().is_some() {
        problems.push(
            "`public_url` must be a host of its own, without a path: cookies and addresses are kept apart by host."
                .to_owned(),
        );
        return None;
    }
    Some(url)
}

fn cookie_key(root: &mut Section, problems: &mut Problems) -> Option<SecretString> {
    let what = format!("what seals cookies, the same on every gateway; {KEY_HINT}");
    let key: SecretString = root.needed("cookie_key", &what, problems)?.into();
    if key.expose_secret().len() < KEY_BYTES {
        problems.push(format!(
            "`cookie_key` is too short: it needs at least {KEY_BYTES} characters made by chance; {KEY_HINT}."
        ));
    }
    Some(key)
}

fn proxies(root: &mut Section, problems: &mut Problems) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for text in root.list("trusted_proxies", problems) {
        let net = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match net {
            Ok(net) => nets.push(net),
            Err(_) => problems.push(format!(
                "`trusted_proxies` holds `{text}`, which is no network such as `10.0.0.0/8`."
            )),
        }
    }
    nets
}

fn database(root: &mut Section, problems: &mut Problems) -> Option<Database> {
    let Some(mut section) = root.part("database", problems) else {
        problems.push("The section `database` is missing: where the team's PostgreSQL is.".to_owned());
        return None;
    };
    let what = "as whom this gateway connects, such as `postgres://deepsearch_gateway:PASSWORD@HOST/DATABASE`";
    let url = section.needed("url", what, problems);
    let parsed = url.as_deref().and_then(|url| Url::parse(url).ok());
    let usable = parsed
        .as_ref()
        .is_some_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if url.is_some() && !usable {
        problems.push(format!("`database.url` is not an address of PostgreSQL; it is {what}."));
    }
    let devices = devices(section.part("devices", problems), parsed.as_ref(), problems);
    section.finish(problems);
    Some(Database {
        url: url?.into(),
        devices: devices?,
    })
}

/// Devices go where the gateway goes, unless the configuration says that they reach the database by another way.
fn devices(section: Option<Section>, gateway: Option<&Url>, problems: &mut Problems) -> Option<DeviceDatabase> {
    let mut section = section.unwrap_or_else(|| Section::root(Table::new()));
    let host = section
        .text("host", problems)
        .or_else(|| Some(gateway?.host_str()?.trim_matches(['[', ']']).to_owned()));
    let port = section.value("port", "a number from 1 to 65535", problems);
    let name = section
        .text("name", problems)
        .or_else(|| Some(gateway?.path().trim_start_matches('/').to_owned()).filter(|name| !name.is_empty()));
    let sslmode = section.text("sslmode", problems);
    let sslrootcert = section.text("sslrootcert", problems);
    let pooled = section.flag("pooled", problems);
    section.finish(problems);
    if gateway.is_some() && host.is_none() {
        problems.push("`database.devices.host` is missing: the host at which devices find PostgreSQL.".to_owned());
    }
    if gateway.is_some() && name.is_none() {
        problems.push("`database.devices.name` is missing: the name of the database.".to_owned());
    }
    let host = host?;
    let local = Url::parse(&format!("postgres://{host}")).is_ok_and(|url| is_local(&url));
    let sslmode = sslmode.unwrap_or_else(|| if local { "prefer" } else { "verify-full" }.to_owned());
    let plain = matches!(sslmode.as_str(), "disable" | "allow" | "prefer" | "require");
    if !plain && !matches!(sslmode.as_str(), "verify-ca" | "verify-full") {
        problems.push("`database.devices.sslmode` must be `verify-full`, or another mode of PostgreSQL.".to_owned());
    } else if plain && !local {
        problems.push(
            "`database.devices.sslmode` must be `verify-full` or `verify-ca`: any other lets somebody between a device \
             and the database read along."
                .to_owned(),
        );
    }
    if sslrootcert
        .as_ref()
        .is_some_and(|pem| !pem.contains("BEGIN CERTIFICATE"))
    {
        problems.push("`database.devices.sslrootcert` must be a certificate in PEM.".to_owned());
    }
    Some(DeviceDatabase {
        host,
        port: port.or_else(|| gateway?.port()).unwrap_or(5432),
        name: name?,
        sslmode,
        sslrootcert,
        pooled,
    })
}

/// As [`is_this_machine`], for a scheme whose hosts are not parsed as addresses.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn redis(mut section: Section, problems: &mut Problems) -> Option<Redis> {
    let url = section.needed(
        "url",
        "where devices find Redis, such as `rediss://redis.example.org`",
        problems,
    );
    let url = url.and_then(|url| redis_url("redis.url", &url, problems));
    let admin_url = section.text("admin_url", problems);
    let admin_url = admin_url.and_then(|url| redis_url("redis.admin_url", &url, problems));
    let password = section
        .demand(
            "password",
            "of the user that may change users, for each device gets one of its own",
            problems,
        )
        .and_then(|()| section.secret("password", problems));
    let redis = Redis {
        admin_url,
        user: section.text("user", problems),
        password,
        shared: section.flag("shared", problems),
        url: url?,
    };
    section.finish(problems);
    Some(redis)
}

/// An address of Redis that passwords may travel to.
fn redis_url(name: &str, text: &str, problems: &mut Problems) -> Option<Url> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "redis" | "rediss"));
    let Some(url) = url else {
        problems.push(format!("`{name}` must begin with `rediss://`."));
        return None;
    };
    if url.password().is_some() || !url.username().is_empty() {
        problems.push(format!(
            "`{name}` must hold no user and password: give `redis.user` and `redis.password`."
        ));
    }
    if url.scheme() == "redis" && !is_local(&url) {
        problems.push(format!(
            "`{name}` must begin with `rediss://`; only a server on this machine may do without."
        ));
    }
    Some(url)
}

fn email(mut section: Section, problems: &mut Problems) -> Option<Email> {
    let server = section.needed("server", "the mail server, such as `smtp.example.org`", problems);
    let security = match section.text("security", problems).as_deref() {
        None | Some("starttls") => MailSecurity::StartTls,
        Some("tls") => MailSecurity::Tls,
        Some("none") => MailSecurity::None,
        Some(_) => {
            problems.push("`email.security` must be `starttls`, `tls` or `none`.".to_owned());
            MailSecurity::StartTls
        }
    };
    let port = section.value("port", "a number from 1 to 65535", problems);
    let user = section.text("user", problems);
    let password = section.secret("password", problems);
    if user.is_some() != password.is_some() {
        problems.push("`email.user` and `email.password` belong together: give both or none.".to_owned());
    }
    let what = "who the mails are from, such as `DeepSearch <sign-in@example.org>`";
    let from = section.needed("from", what, problems);
    let from = from.and_then(|from| {
        let parsed = from.parse().ok();
        if parsed.is_none() {
            problems.push(format!("`email.from` is no mail address; it is {what}."));
        }
        parsed
    });
    section.finish(problems);
    let server = server?;
    let local = Url::parse(&format!("http://{server}")).is_ok_and(|url| is_this_machine(&url));
    if security == MailSecurity::None && !local {
        problems.push("`email.security` may be `none` only for a server on this machine.".to_owned());
    }
    let usual = if security == MailSecurity::Tls { 465 } else { 587 };
    Some(Email {
        server,
        port: port.unwrap_or(usual),
        security,
        user,
        password,
        from: from?,
    })
}

fn provider(id: String, mut section: Section, problems: &mut Problems) -> Option<Provider> {
    let well_named = !id.is_empty()
        && id.len() <= 32
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !well_named || id == "email" {
        problems.push(format!(
            "`providers.{id}`: a provider is named by small letters, digits and hyphens, and not `email`."
        ));
        return None;
    }
    let kind = kind(&id, &mut section, problems);
    let client_id = section.needed("client_id", "what the provider calls this gateway", problems);
    let client_secret = section.secret("client_secret", problems);
    if client_secret.is_none()
        && matches!(
            kind,
            Some((_, ProviderKind::Discord { .. } | ProviderKind::GitHub { .. }))
        )
    {
        let name = section.full("client_secret");
        problems.push(format!(
            "`{name}` is missing: the secret that the provider gave with the client id."
        ));
    }
    let name = section.text("name", problems);
    let link_verified_email = section.flag("link_verified_email", problems);
    let vouches_for_email = section.flag("vouches_for_email", problems);
    section.finish(problems);
    let (usual_name, kind) = kind?;
    Some(Provider {
        name: name.unwrap_or(usual_name),
        id,
        kind,
        client_id: client_id?,
        client_secret,
        link_verified_email,
        vouches_for_email,
    })
}

fn kind(id: &str, section: &mut Section, problems: &mut Problems) -> Option<(String, ProviderKind)> {
    let mut url = |name, usual: &str| {
        let given = section.safe_url(name, problems);
        given.or_else(|| Url::parse(usual).ok())
    };
    Some(match id {
        "discord" => (
            "Discord".to_owned(),
            ProviderKind::Discord {
                authorize: url("authorize_url", "https://discord.com/oauth2/authorize")?,
                api: url("api_url", "https://discord.com/api/")?,
            },
        ),
        "github" => (
            "GitHub".to_owned(),
            ProviderKind::GitHub {
                site: url("url", "https://github.com/")?,
                api: url("api_url", "https://api.github.com/")?,
            },
        ),
        _ => {
            let google = id == "google";
            let given = section.safe_url("issuer", problems);
            if given.is_none() && !google && !problems.iter().any(|problem| problem.contains(&section.full("issuer"))) {
                problems.push(format!(
                    "`{}` is missing: the address of the OpenID Connect issuer.",
                    section.full("issuer")
                ));
            }
            let issuer = given.or_else(|| Url::parse("https://accounts.google.com").ok().filter(|_| google));
            let mut scopes = section.list("scopes", problems);
            if scopes.is_empty() {
                scopes = ["openid", "email", "profile"].map(str::to_owned).to_vec();
            }
            let name = if google { "Google" } else { id };
            (
                name.to_owned(),
                ProviderKind::OpenId {
                    issuer: issuer?,
                    scopes,
                },
            )
        }
    })
}

fn limits(section: Option<Section>, problems: &mut Problems) -> Limits {
    let mut section = section.unwrap_or_else(|| Section::root(Table::new()));
    let what = "a whole number of at least 1";
    let mut number = |name, usual: u32| {
        let given = section.value::<std::num::NonZeroU32>(name, what, problems);
        given.map_or(usual, std::num::NonZeroU32::get)
    };
    let limits = Limits {
        requests_per_minute: number("requests_per_minute", 240),
        attempts_per_minute: number("attempts_per_minute", 60),
        connections: number("connections", 1024) as usize,
    };
    section.finish(problems);
    limits
}
