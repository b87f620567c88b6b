//! `deepsearch share`: chats on several devices through a database of one's own.

use std::process::ExitCode;

use deepsearch_app::App;

use crate::args::Share;
use crate::db::{tell, url};
use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, command: Share, as_json: bool) -> Outcome {
    let Share::Init { address, email, name } = command;
    let admitted = app
        .init_share(url(&address)?, address.pooled, email.as_deref(), name.as_deref(), tell)
        .await?;
    if as_json {
        print::json(&admitted);
    } else {
        print::line(&print::safe(&format!(
            "This device ({}) may use the shared database now. The owner's password was not kept.",
            admitted.device_name
        )));
    }
    Ok(ExitCode::SUCCESS)
}
