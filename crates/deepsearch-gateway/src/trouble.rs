//! Trouble: why a page cannot be shown, told to a person as what happened and what to do next.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use deepsearch_postgres::DatabaseError;
use uuid::Uuid;

use crate::gateway::{Parts, chain};
use crate::markup::Markup;
use crate::pages::{Frame, Page, done_sign, show};
use crate::people::Refusal;
use crate::texts::Text;

#[derive(Debug)]
pub(crate) enum Trouble {
    /// Not from the app: answering it would send somebody's answer to a stranger.
    BadApp,
    /// No flow in this browser, or one that is over.
    NoFlow,
    /// A link of a mail that does not work, or not here.
    BadLink,
    /// The provider, by its name, did not prove anything.
    Provider(String),
    /// The person is known and may not come in this way; the name of the way.
    Refused(Refusal, String),
    Limited(u64),
    MailFailed,
    NotFound,
    Database(DatabaseError),
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl Trouble {
    /// As a page; from `flow`, where there is one, another way can be tried.
    pub(crate) fn page(self, parts: &Parts, frame: &Frame, flow: Option<&str>) -> Response {
        let t = frame.lang.texts();
        let again = flow.map(|flow| (format!("/choose?flow={flow}"), t.other_way.plain(&[])));
        let in_app = Some(t.again_in_app.plain(&[]));
        match self {
            Self::BadApp => draw(
                frame,
                StatusCode::BAD_REQUEST,
                (&t.bad_app_title, &t.bad_app_text),
                &[],
                None,
                None,
            ),
            Self::NoFlow => draw(
                frame,
                StatusCode::BAD_REQUEST,
                (&t.flow_title, &t.flow_text),
                &[],
                in_app,
                None,
            ),
            Self::BadLink => draw(
                frame,
                StatusCode::BAD_REQUEST,
                (&t.link_title, &t.link_text),
                &[],
                in_app,
                None,
            ),
            Self::Provider(name) => {
                let texts = (&t.provider_title, &t.provider_text);
                draw(
                    frame,
                    StatusCode::BAD_GATEWAY,
                    texts,
                    &[("provider", &name)],
                    None,
                    again,
                )
            }
            Self::Refused(refusal, way) => {
                let address = match &refusal {
                    Refusal::Taken { address } => address.clone(),
                    Refusal::NoEmail | Refusal::Unverified => String::new(),
                };
                let texts = match refusal {
                    Refusal::NoEmail => (&t.no_email_title, &t.no_email_text),
                    Refusal::Unverified => (&t.unverified_title, &t.unverified_text),
                    Refusal::Taken { .. } => (&t.taken_title, &t.taken_text),
                };
                let values = [("provider", way.as_str()), ("address", address.as_str())];
                draw(frame, StatusCode::FORBIDDEN, texts, &values, None, again)
            }
            Self::Limited(seconds) => {
                parts.metrics.limited.inc();
                let texts = (&t.limited_title, &t.limited_text);
                let page = draw(frame, StatusCode::TOO_MANY_REQUESTS, texts, &[], None, None);
                ([(header::RETRY_AFTER, seconds.to_string())], page).into_response()
            }
            Self::MailFailed => {
                let texts = (&t.mail_failed_title, &t.mail_failed_text);
                draw(frame, StatusCode::BAD_GATEWAY, texts, &[], None, again)
            }
            Self::NotFound => draw(
                frame,
                StatusCode::NOT_FOUND,
                (&t.not_found_title, &t.not_found_text),
                &[],
                in_app,
                None,
            ),
            Self::Database(error) => {
                let number = Uuid::new_v4().simple().to_string()[..8].to_owned();
                tracing::error!(number, error = chain(&error), "a page could not be shown");
                let texts = (&t.internal_title, &t.internal_text);
                draw(
                    frame,
                    StatusCode::SERVICE_UNAVAILABLE,
                    texts,
                    &[("number", &number)],
                    None,
                    again,
                )
            }
        }
    }
}

fn draw(
    frame: &Frame,
    status: StatusCode,
    (title, text): (&Text, &Text),
    values: &[(&str, &str)],
    next: Option<String>,
    link: Option<(String, String)>,
) -> Response {
    let message = show!(Message, frame, {
        plain_title: title.plain(values), title: title.with(values), text: text.with(values), sign: None, next, link,
    });
    Page::with_status(status, &message).into_response()
}

/// A page that only says something.
pub(crate) fn notice(frame: &Frame, texts: (&Text, &Text), values: &[(&str, &str)]) -> Page {
    say(frame, texts, values, None)
}

/// A page that says that it is done.
pub(crate) fn success(frame: &Frame, texts: (&Text, &Text), values: &[(&str, &str)]) -> Page {
    say(frame, texts, values, Some(done_sign()))
}

fn say(frame: &Frame, (title, text): (&Text, &Text), values: &[(&str, &str)], sign: Option<Markup>) -> Page {
    Page::of(&show!(Message, frame, {
        plain_title: title.plain(values), title: title.with(values), text: text.with(values), sign, next: None,
        link: None,
    }))
}
