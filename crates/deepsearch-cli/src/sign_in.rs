//! `deepsearch sign-in`: through the browser on this machine, or with a code where there is none.

use std::process::{Command, Stdio};

use deepsearch_app::{App, AppError, Change, SignInStep, Way};
use tokio::sync::broadcast::error::RecvError;

use crate::args::SignIn;
use crate::outcome::Outcome;
use crate::{account, print};

pub(crate) async fn run(app: &App, sign_in: SignIn, json: bool) -> Outcome {
    if let Some(gateway) = &sign_in.gateway {
        app.update_setting("gateway.url", Some(gateway)).await?;
    }
    let with_code = sign_in.code || (!sign_in.browser && !has_browser());
    let way = if with_code { Way::DeviceCode } else { Way::Loopback };
    // Before it begins, so that nothing is missed.
    let mut changes = app.changes();
    let step = app.start_sign_in(way, sign_in.provider.as_deref()).await?;
    tell(app, &step, json);
    let waited = tokio::select! {
        waited = wait(app, &mut changes) => waited,
        _ = tokio::signal::ctrl_c() => Err(AppError::Cancelled),
    };
    if waited.is_err() {
        // What waited is of no use to a command that has ended.
        app.cancel_sign_in().await?;
    }
    waited?;
    account::whoami(app, json)
}

async fn wait(app: &App, changes: &mut tokio::sync::broadcast::Receiver<Change>) -> Result<(), AppError> {
    loop {
        let state = app.account_state();
        if state.signed_in.is_some() {
            return Ok(());
        }
        if let Some(failure) = state.failure {
            return Err(AppError::Answer(failure));
        }
        match changes.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(AppError::Cancelled),
        }
    }
}

/// Says what the person is to do. With `--json` that is a line of its own before the result.
fn tell(app: &App, step: &SignInStep, json: bool) {
    let address = app.sign_in_address();
    if json {
        return print::json(&serde_json::json!({ "waiting": step, "open": address }));
    }
    if let (Some(code), Some(page)) = (&step.user_code, &step.code_address) {
        print::note("Open this page in a browser, on any machine, and type the code there:");
        print::note(&format!("  {page}"));
        print::note(&format!("  {code}"));
        return;
    }
    let Some(address) = address else { return };
    if open(address.as_str()) {
        print::note("Finish in the browser that has opened. If none has, open this address on this machine:");
    } else {
        print::note("Open this address in a browser on this machine:");
    }
    print::note(&format!("  {address}"));
}

/// Whether a browser can be shown on this machine, to the person at this terminal.
fn has_browser() -> bool {
    if cfg!(target_os = "linux") {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    }
    std::env::var_os("SSH_CONNECTION").is_none()
}

fn open(address: &str) -> bool {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    let quiet = command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.spawn().is_ok()
}
