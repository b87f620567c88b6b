//! Saved pages, pages that are read now, and the way out to the live ones.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use deepsearch_app::App;
use deepsearch_core::{ErrorCode, Failure, MessageId, Page, PageId, SourcePicture};
use tauri::{AppHandle, State};
use tauri_plugin_clipboard_manager::ClipboardExt;
use tauri_plugin_opener::OpenerExt;
use url::Url;

use super::told;
use crate::windows::shell_failure;

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_page(app: State<'_, App>, page: PageId) -> Result<Page, Failure> {
    told(app.saved_page(&page)).await
}

/// Reads a page of the web now, as it is read for an answer: guarded, cleaned, and in the reader. Nothing is saved.
#[tauri::command]
#[specta::specta]
pub(crate) async fn read_page(app: State<'_, App>, url: String) -> Result<Page, Failure> {
    told(async { app.read(&web_address(&url)?).await.map_err(Failure::from) }).await
}

/// A site's icon as a `data:` address; `None` where there is none that can be shown.
#[tauri::command]
#[specta::specta]
pub(crate) async fn favicon(app: State<'_, App>, page_url: String) -> Result<Option<String>, Failure> {
    told(async { Ok::<_, Failure>(app.favicon(&page_url).await) }).await
}

/// A picture of an answer's source, from the copy that is kept.
#[derive(serde::Serialize, specta::Type)]
pub(crate) struct ShownPicture {
    /// The source's number in the answer.
    number: u32,
    /// The source's title.
    title: String,
    page_id: PageId,
    /// Where it was found.
    url: String,
    alt: String,
    /// In pixels.
    width: u32,
    height: u32,
    /// As a `data:` address.
    data: String,
}

/// The pictures of an answer; those on their way are waited for, for seconds at most.
#[tauri::command]
#[specta::specta]
pub(crate) async fn answer_pictures(app: State<'_, App>, message: MessageId) -> Result<Vec<ShownPicture>, Failure> {
    let pictures = told(app.pictures(&message)).await?;
    Ok(pictures.into_iter().map(ShownPicture::from).collect())
}

impl From<SourcePicture> for ShownPicture {
    fn from(shown: SourcePicture) -> Self {
        let picture = shown.picture;
        Self {
            number: shown.number,
            title: shown.title,
            page_id: picture.page_id,
            url: picture.url.into(),
            alt: picture.alt,
            width: picture.width,
            height: picture.height,
            data: format!(
                "data:{};base64,{}",
                picture.media_type,
                BASE64_STANDARD.encode(picture.bytes)
            ),
        }
    }
}

/// Opens a web address in the browser. The one place where anything leaves the window: http and https only.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link(window: AppHandle, url: String) -> Result<(), Failure> {
    told(async {
        let address = web_address(&url)?;
        let opened = window.opener().open_url(address.as_str(), None::<&str>);
        opened.map_err(|error| shell_failure(&error).hint("Copy the address and open it in your browser."))
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn copy_text(window: AppHandle, text: String) -> Result<(), Failure> {
    told(async {
        window
            .clipboard()
            .write_text(text)
            .map_err(|error| shell_failure(&error))
    })
    .await
}

fn web_address(text: &str) -> Result<Url, Failure> {
    let refused = || {
        Failure::new(
            ErrorCode::Refused,
            "Only addresses that begin with http:// or https:// are opened.",
        )
        .hint("Copy the address if you trust it.")
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::web_address;

    #[test]
    fn only_web_addresses_are_opened() {
        for url in ["https://example.com/a?b#c", "http://example.com", "HTTPS://EXAMPLE.COM"] {
            assert!(web_address(url).is_ok(), "{url}");
        }
        let hostile = [
            "",
            "example.com",
            "file:///etc/passwd",
            "smb://host/share",
            "ms-msdt:/id PCWDiagnostic",
            "javascript:alert(1)",
            "data:text/html,x",
            "deepsearch://auth/callback?code=x",
            "vbscript:x",
            "//example.com",
            "https:",
            "mailto:a@b.c",
            "ftp://example.com/",
            "search-ms:query=x",
            " calculator:",
            "-rf",
        ];
        for url in hostile {
            assert!(web_address(url).is_err(), "{url}");
        }
    }
}
