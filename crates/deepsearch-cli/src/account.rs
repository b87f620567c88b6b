//! `deepsearch whoami`, `devices` and `sign-out`.

use std::process::ExitCode;

use deepsearch_app::{App, AppError, AuthError, Device, Place, SignedIn};
use deepsearch_core::clock::to_the_minute;

use crate::args::Devices;
use crate::outcome::Outcome;
use crate::print;

pub(crate) fn whoami(app: &App, json: bool) -> Outcome {
    let state = app.account_state();
    let Some(signed_in) = state.signed_in else {
        return Err(match state.locked {
            Some(failure) => AppError::Answer(failure),
            None => AuthError::SignedOut.into(),
        });
    };
    if json {
        print::json(&signed_in);
    } else {
        show(&signed_in);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(signed_in: &SignedIn) {
    let user = &signed_in.user;
    let name = user.name.as_deref().map_or_else(String::new, |name| format!("{name} "));
    let kept = match signed_in.kept_in {
        Place::Keychain => "in the system's keychain",
        Place::File => "encrypted in secrets.toml",
    };
    let who = format!("{name}<{}>", user.email);
    let where_from = format!(
        "signed in at {} since {}",
        signed_in.gateway,
        to_the_minute(signed_in.since)
    );
    print::line(&print::safe(&who));
    print::line(&print::safe(&where_from));
    print::line(&print::safe(&format!(
        "this device is {} ({})",
        signed_in.device_name, signed_in.device_id
    )));
    print::line(&format!("its secrets are {kept}"));
}

pub(crate) async fn devices(app: &App, command: Option<Devices>, json: bool) -> Outcome {
    if let Some(Devices::Revoke { id }) = command {
        app.revoke_device(&id).await?;
        if json {
            print::json(&serde_json::json!({ "revoked": id }));
        } else {
            print::note("That device is signed out.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let account = app.account().await?;
    if json {
        print::json(&account.devices);
    } else {
        account.devices.iter().for_each(show_device);
    }
    Ok(ExitCode::SUCCESS)
}

fn show_device(device: &Device) {
    let seen = match device.last_seen_at {
        _ if device.current => "this device".to_owned(),
        Some(at) => format!("last seen {}", to_the_minute(at)),
        None => "not seen yet".to_owned(),
    };
    print::line(&print::safe(&format!("{}  {}  {seen}", device.id, device.name)));
}

pub(crate) async fn sign_out(app: &App, remove: bool, everywhere: bool, json: bool) -> Outcome {
    let state = app.account_state();
    if state.signed_in.is_none() && state.locked.is_none() {
        return Err(AuthError::SignedOut.into());
    }
    let told_gateway = if everywhere {
        app.sign_out_everywhere().await?;
        true
    } else {
        app.sign_out().await?.told_gateway
    };
    if remove {
        app.remove_local_copy().await?;
    }
    if json {
        print::json(&serde_json::json!({ "told_gateway": told_gateway, "removed": remove }));
    } else {
        print::note(if everywhere {
            "All your devices are signed out."
        } else {
            "This device is signed out."
        });
        if !told_gateway {
            print::note("The gateway could not be told; until you revoke it from another device, it is listed there.");
        }
        if remove {
            print::note("Every chat, page and backup is removed from it.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
