//! `deepsearch-gateway`: reads its configuration, serves until it is told to stop, or only checks what it was given.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use deepsearch_core::SystemClock;
use deepsearch_gateway::{Config, Gateway, logs};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where the configuration is looked for when nobody says.
const USUAL_FILE: &str = "/etc/deepsearch/gateway.toml";

/// The sign-in server of a team's shared DeepSearch database.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Args {
    /// The configuration file; without one, /etc/deepsearch/gateway.toml where it exists. Settings in the environment
    /// (DEEPSEARCH_GATEWAY_…) stand over it.
    #[arg(long, short, env = "DEEPSEARCH_GATEWAY_CONFIG")]
    config: Option<PathBuf>,
    /// Only check the configuration, and say what is wrong with it.
    #[arg(long)]
    check_config: bool,
    /// Check the configuration, and whether database, providers and mail server can be reached.
    #[arg(long)]
    check_connections: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            say(&mut io::stderr(), &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let usual = PathBuf::from(USUAL_FILE);
    let file = args.config.clone().or_else(|| usual.is_file().then_some(usual));
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = match Config::load(file.as_deref(), &environment) {
        Ok(config) => config,
        Err(error) => {
            say(&mut io::stderr(), &error.to_string());
            return Ok(ExitCode::FAILURE);
        }
    };
    if args.check_config {
        say(&mut io::stdout(), "The configuration is in order.");
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    if args.check_connections {
        return runtime.block_on(check_connections(config));
    }
    logs::start(
        &config.secrets(),
        environment.get("DEEPSEARCH_GATEWAY_LOG").map(String::as_str),
    );
    runtime.block_on(serve(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> Result<()> {
    let stop = CancellationToken::new();
    tokio::spawn(stop_when_told(stop.clone()));
    let (listen, metrics_listen) = (config.listen, config.metrics_listen);
    let public_url = config.public_url.clone();
    let gateway = Gateway::open(config, Arc::new(SystemClock))
        .await
        .context("starting the gateway")?;
    let listener = bind(listen).await?;
    let metrics = match metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    tracing::info!(%listen, %public_url, version = env!("CARGO_PKG_VERSION"), "the gateway is open");
    gateway.serve(listener, metrics, stop).await.context("serving")?;
    tracing::info!("the gateway is closed");
    Ok(())
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))
}

async fn check_connections(config: Config) -> Result<ExitCode> {
    let gateway = Gateway::open(config, Arc::new(SystemClock))
        .await
        .context("connecting")?;
    let mut code = ExitCode::SUCCESS;
    for (what, wrong) in gateway.check_connections().await {
        match wrong {
            None => say(&mut io::stdout(), &format!("{what}: reached")),
            Some(wrong) => {
                say(&mut io::stdout(), &format!("{what}: {wrong}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Interrupted from the keyboard, or told to end by the system.
async fn stop_when_told(stop: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the system's word to end will not be heard");
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
    stop.cancel();
}

/// Where the reader has gone, there is nobody to tell.
fn say(to: &mut impl Write, text: &str) {
    let _ = writeln!(to, "{text}");
}
