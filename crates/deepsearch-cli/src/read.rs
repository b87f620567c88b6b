//! `deepsearch read`: the readable page of an address, of a file, or of many files at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use deepsearch_app::{App, AppError, PageReader};
use deepsearch_core::{Failure, Page};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use url::Url;

use crate::args;
use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, args: args::Read, json: bool) -> Outcome {
    if let Some(address) = &args.address {
        show(&app.read(address).await?, json);
    }
    Ok(ExitCode::SUCCESS)
}

/// Files need neither the store nor the network.
pub(crate) async fn run_local(args: &args::Read, json: bool) -> Outcome {
    let reader = PageReader::new();
    if let (Some(file), Some(url)) = (&args.html, &args.url) {
        show(&read_file(&reader, file, url).await?, json);
    } else {
        batch(&reader).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(page: &Page, json: bool) {
    if json {
        return print::json(page);
    }
    print::line(&print::safe(&page.title));
    print::line("");
    print::line(&print::safe(&page.text));
}

async fn read_file(reader: &PageReader, file: &Path, url: &Url) -> Result<Page, AppError> {
    let unreadable = |source| AppError::Unreadable {
        path: file.to_owned(),
        source,
    };
    let bytes = tokio::fs::read(file).await.map_err(unreadable)?;
    reader.read(&bytes, None, url).await
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    id: Value,
    html_file: PathBuf,
    #[serde(default)]
    url: Option<Url>,
}

#[derive(Serialize)]
struct Answered {
    id: Value,
    title: String,
    text: String,
    error: Option<String>,
}

/// One answer for each line, in the lines' order, as many at a time as there are parsers and some to keep them busy.
async fn batch(reader: &PageReader) -> Result<(), AppError> {
    let lines = BufReader::new(tokio::io::stdin()).split(b'\n');
    let lines = futures::stream::try_unfold(lines, |mut lines| async move {
        Ok(lines.next_segment().await?.map(|line| (line, lines)))
    });
    let at_once = 2 * std::thread::available_parallelism().map_or(2, usize::from);
    let answers = lines.map(|line: std::io::Result<Vec<u8>>| async move {
        match line {
            Ok(line) if line.iter().all(u8::is_ascii_whitespace) => Ok(None),
            Ok(line) => Ok(Some(answer(reader, &line).await)),
            Err(source) => Err(AppError::Unreadable {
                path: "standard input".into(),
                source,
            }),
        }
    });
    let mut answers = std::pin::pin!(answers.buffered(at_once));
    while let Some(answered) = answers.next().await {
        if let Some(answered) = answered? {
            print::json(&answered);
        }
    }
    Ok(())
}

async fn answer(reader: &PageReader, line: &[u8]) -> Answered {
    let failed = |id, error: String| Answered {
        id,
        title: String::new(),
        text: String::new(),
        error: Some(error),
    };
    let asked: Asked = match serde_json::from_slice(line) {
        Ok(asked) => asked,
        Err(error) => {
            // The id is given back where the rest of the line cannot be used.
            let id = serde_json::from_slice::<Value>(line)
                .ok()
                .and_then(|value| value.get("id").cloned());
            return failed(id.unwrap_or_default(), format!("The line is not as expected: {error}."));
        }
    };
    let url = asked
        .url
        .unwrap_or_else(|| "https://unknown.invalid/".parse().expect("a fixed address"));
    match read_file(reader, &asked.html_file, &url).await {
        Ok(page) => Answered {
            id: asked.id,
            title: page.title,
            text: page.text,
            error: None,
        },
        Err(error) => failed(asked.id, Failure::from(&error).to_string()),
    }
}
