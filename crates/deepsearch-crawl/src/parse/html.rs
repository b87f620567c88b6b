//! An HTML page, once decoded: what it says, or what it is instead of a page.

use url::Url;

use super::{Draft, Trouble};
use crate::extract::extract_html;
use crate::soft::{Soft, judge};

pub(super) fn read(html: &str, url: &Url) -> Result<Draft, Trouble> {
    let Ok(page) = extract_html(html, url) else {
        return Err(Trouble::Soft(judge(html, "").unwrap_or(Soft::Empty)));
    };
    if let Some(soft) = judge(html, &page.text) {
        return Err(Trouble::Soft(soft));
    }
    Ok(Draft {
        title: page.title,
        author: page.author,
        site_name: page.site_name,
        published_at: page.published_at,
        favicon: page.favicon,
        picture: page.picture,
        language: page.language,
        text: page.text,
        html: page.html,
    })
}
