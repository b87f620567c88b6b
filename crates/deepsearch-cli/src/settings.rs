//! `deepsearch settings`.

use std::process::ExitCode;

use deepsearch_app::{App, AppError, Origin, SettingValue};

use crate::args::Settings;
use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, command: Settings, json: bool) -> Outcome {
    let one = match command {
        Settings::List => {
            let all = app.settings();
            if json {
                print::json(&all)
            } else {
                all.iter().for_each(show)
            }
            return Ok(ExitCode::SUCCESS);
        }
        Settings::Get { key } => app.setting(&key)?,
        Settings::Set { key, value } => {
            let value = if value == "-" { first_line()? } else { value };
            app.update_setting(&key, Some(&value)).await?
        }
        Settings::Unset { key } => app.update_setting(&key, None).await?,
    };
    if json {
        print::json(&one)
    } else {
        show(&one)
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn first_line() -> Result<String, AppError> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|source| AppError::Unreadable {
        path: "standard input".into(),
        source,
    })?;
    Ok(line.trim().to_owned())
}

fn show(setting: &SettingValue) {
    let origin = match setting.origin {
        Origin::Environment => "environment",
        Origin::File => "configuration file",
        Origin::Stored => "set",
        Origin::Default => "default",
    };
    let value = match &setting.value {
        serde_json::Value::String(text) => print::safe(text),
        value => value.to_string(),
    };
    print::line(&format!("{} = {value}  ({origin})  {}", setting.key, setting.about));
}
