//! `deepsearch folders`: which folders are searched, looking through them, what could not be read.

use std::process::ExitCode;

use deepsearch_app::{App, FolderList, FolderReport};

use crate::args::Folders;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, progress, safe};

pub(crate) async fn run(app: &App, command: Folders, json: bool) -> Outcome {
    match command {
        Folders::List => show(&app.folders().await?, json),
        Folders::Add { folder, later } => {
            let folders = app.add_folder(&folder).await?;
            if later || folders.progress.paused {
                show(&folders, json);
            } else {
                return scan(app, json).await;
            }
        }
        Folders::Remove { folder } => show(&app.remove_folder(&folder).await?, json),
        Folders::Scan => return scan(app, json).await,
        Folders::Pause => show(&app.pause_folders(true).await?, json),
        Folders::Resume => show(&app.pause_folders(false).await?, json),
        Folders::Problems { limit, after } => {
            let problems = app
                .folder_problems(after.as_deref().unwrap_or(""), limit.into())
                .await?;
            if json {
                print::json(&problems);
            } else if problems.is_empty() {
                note("Everything could be read.");
            }
            for problem in problems.iter().filter(|_| !json) {
                print::line(&format!("{}\n    {}", safe(&problem.path), safe(&problem.reason)));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks through the folders, and says how far it is where a person watches. Ctrl-C keeps what was read.
async fn scan(app: &App, json: bool) -> Outcome {
    if app.folders().await?.folders.is_empty() {
        note("There are no folders yet: deepsearch folders add FOLDER");
        return Ok(ExitCode::from(NOTHING));
    }
    let telling = tell_progress(app);
    let report = app.scan_folders().await;
    telling.abort();
    let report = report?;
    if json {
        print::json(&report);
    } else {
        tell(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_progress(app: &App) -> tokio::task::JoinHandle<()> {
    let mut far = app.folder_progress();
    tokio::spawn(async move {
        while far.changed().await.is_ok() {
            let now = far.borrow_and_update().clone();
            if let Some(folder) = now.folder {
                progress(&format!("{folder}: {} files seen, {} read", now.seen, now.read));
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    })
}

fn tell(report: &FolderReport) {
    print::line(&format!(
        "{} files seen, {} read, {} removed.",
        report.seen, report.read, report.removed
    ));
    if report.problems > 0 {
        note(&format!(
            "{} could not be read: deepsearch folders problems",
            report.problems
        ));
    }
    if report.paused {
        note("Paused before the end: deepsearch folders resume, then deepsearch folders scan");
    }
}

fn show(list: &FolderList, json: bool) {
    if json {
        return print::json(list);
    }
    if list.folders.is_empty() {
        note("There are no folders yet: deepsearch folders add FOLDER");
    }
    for folder in &list.folders {
        let gone = if folder.exists { "" } else { ", not there now" };
        let problems = match folder.problems {
            0 => String::new(),
            count => format!(", {count} not readable"),
        };
        print::line(&format!(
            "{}  {} files{problems}{gone}",
            safe(&folder.path),
            folder.files
        ));
    }
    if list.progress.paused {
        note("Paused: deepsearch folders resume");
    }
}
