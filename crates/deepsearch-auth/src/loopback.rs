//! The listener on this machine, for where a `deepsearch://` link does not reach the app (RFC 8252, 7.3).
//!
//! It takes one answer and is gone, hears only this machine, and says nothing to pages that find it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::callback::Callback;
use crate::error::AuthError;
use crate::pending::Pending;

const PATH: &str = "/auth/callback";
/// A browser sends more than we read of it, and far less than this.
const LONGEST_HEAD: usize = 16 * 1024;
/// One visitor at a time: none may hold the others up for longer.
const VISIT: Duration = Duration::from_secs(5);
/// A browser asks for an icon, or opens a connection that it does not use; somebody who knocks on and on is not heard.
const MOST_VISITS: usize = 64;

/// A port of this machine that waits for an answer.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// A browser that brought an answer.
#[derive(Debug)]
pub struct Visit {
    browser: Visitor,
    callback: Callback,
}

/// A browser that waits to be told how it went.
#[derive(Debug)]
pub struct Visitor {
    stream: TcpStream,
}

/// What a browser is shown at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub done: bool,
    /// A language tag, and whether it is read from the right.
    pub language: String,
    pub title: String,
    pub text: String,
}

impl Loopback {
    /// Begins to listen, on any free port.
    ///
    /// # Errors
    /// [`AuthError::Listening`] when the system allows none.
    pub async fn bind() -> Result<Self, AuthError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(AuthError::Listening)?;
        let port = listener.local_addr().map_err(AuthError::Listening)?.port();
        Ok(Self { listener, port })
    }

    /// Where the gateway is to send the browser.
    pub fn redirect(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for a browser that brings the answer to this sign-in; everybody else is turned away, so that no page of a
    /// stranger's ends it.
    ///
    /// # Errors
    /// [`AuthError::Expired`] when none came in time, [`AuthError::Listening`] when the port is lost.
    pub async fn wait(self, patience: Duration, pending: &Pending) -> Result<Visit, AuthError> {
        let deadline = Instant::now() + patience;
        for _ in 0..MOST_VISITS {
            let accepted = timeout_at(deadline, self.listener.accept()).await;
            let (mut stream, _) = accepted
                .map_err(|_| AuthError::Expired)?
                .map_err(AuthError::Listening)?;
            let target = timeout(VISIT, head(&mut stream)).await.ok().flatten();
            let Some(head) = target else { continue };
            let callback = self
                .target(&head)
                .and_then(|target| Callback::parse_target(target).ok());
            match callback.filter(|callback| callback.answers(pending)) {
                Some(callback) => {
                    return Ok(Visit {
                        browser: Visitor { stream },
                        callback,
                    });
                }
                None => {
                    let nothing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = timeout(VISIT, stream.write_all(nothing.as_bytes())).await;
                }
            }
        }
        Err(AuthError::Expired)
    }

    /// What a request asks for, if it is one of a browser that was sent here. A page whose own name was made to lead to
    /// this machine still says that name as its host.
    fn target<'a>(&self, head: &'a str) -> Option<&'a str> {
        let mut lines = head.split("\r\n");
        let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let hosts: Vec<&str> = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, host)| host.trim())
            .collect();
        (hosts == [format!("127.0.0.1:{}", self.port)]).then_some(target)
    }
}

impl Callback {
    /// Whether it answers the sign-in of this name.
    pub fn answers(&self, pending: &Pending) -> bool {
        use secrecy::ExposeSecret;
        let (ours, theirs) = (pending.state.as_bytes(), self.state.expose_secret().as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(ours, theirs).is_ok()
    }
}

impl Visit {
    /// The answer, and who is to be told what came of it.
    pub fn answer(self) -> (Callback, Visitor) {
        (self.callback, self.browser)
    }
}

impl Visitor {
    /// Shows how it went, and ends the visit.
    pub async fn show(mut self, page: &Page) {
        let body = page.html();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let answer = async {
            self.stream.write_all(head.as_bytes()).await?;
            self.stream.write_all(body.as_bytes()).await?;
            self.stream.shutdown().await
        };
        // A browser that has gone has nothing to be told.
        let _ = timeout(VISIT, answer).await;
    }
}

impl Page {
    fn html(&self) -> String {
        let direction = if self.language.starts_with("ar") { "rtl" } else { "ltr" };
        let mark = if self.done {
            "<path d=\"M5 13l4 4L19 7\"/>"
        } else {
            "<path d=\"M12 7v6m0 4v.01\"/>"
        };
        PAGE.replace("{language}", &escaped(&self.language))
            .replace("{direction}", direction)
            .replace("{tone}", if self.done { "good" } else { "bad" })
            .replace("{mark}", mark)
            .replace("{title}", &escaped(&self.title))
            .replace("{text}", &escaped(&self.text))
    }
}

const PAGE: &str = r#"<!doctype html>
<html lang="{language}" dir="{direction}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>DeepSearch</title>
<style>
:root{color-scheme:light dark;font:17px/1.5 system-ui,sans-serif}
body{display:grid;place-items:center;min-height:100vh;margin:0;background:light-dark(#fcfcfb,#111418);color:light-dark(#1b1f24,#e8eaed)}
main{max-width:26rem;padding:2rem;text-align:center}
svg{width:3rem;height:3rem;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.good{color:light-dark(#1a7f4b,#5fcf94)}.bad{color:light-dark(#a4540a,#f0a961)}
h1{margin:.75rem 0 .25rem;font-size:1.375rem;line-height:1.3}p{margin:0;color:light-dark(#565d66,#a4abb4)}
</style>
<main><svg class="{tone}" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11"/>{mark}</svg>
<h1>{title}</h1><p>{text}</p></main>
</html>
"#;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A request up to its blank line. One that is too long, or no text, is none.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 2048];
    while bytes.len() < LONGEST_HEAD {
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        if bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            return String::from_utf8(bytes).ok();
        }
    }
    None
}
