//! Mail: the link that proves a mailbox. One mail server, as the configuration has it.

use std::time::Duration;

use askama::Template;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::config::{Email, MailSecurity};
use crate::texts::{Lang, Texts};

const SENT_WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

#[derive(Debug, Error)]
pub(crate) enum MailError {
    #[error("writing the mail")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("handing the mail to the mail server")]
    Send(#[from] lettre::transport::smtp::Error),
    #[error("the mail server did not answer within {SENT_WITHIN:?}")]
    TimedOut,
    #[error("the mail server does not greet")]
    Unwilling,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    lang: Lang,
    t: &'static Texts,
    text: crate::markup::Markup,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct Plain<'a> {
    t: &'static Texts,
    text: String,
    link: &'a str,
}

impl Mailer {
    pub(crate) fn new(config: &Email) -> Result<Self, MailError> {
        let server = config.server.as_str();
        let builder = match config.security {
            MailSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(server)?,
            MailSecurity::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(server)?,
            MailSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server),
        };
        let mut builder = builder.port(config.port).timeout(Some(SENT_WITHIN));
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: config.from.clone(),
        })
    }

    /// Sends the link. `device` is whose sign-in it is for, where that is known already.
    pub(crate) async fn send_link(
        &self,
        to: Address,
        link: &str,
        device: Option<&str>,
        lang: Lang,
    ) -> Result<(), MailError> {
        let t = lang.texts();
        let (markup, plain) = match device {
            Some(device) => (
                t.mail_text.with(&[("device", device)]),
                t.mail_text.plain(&[("device", device)]),
            ),
            None => (t.mail_text_device.with(&[]), t.mail_text_device.plain(&[])),
        };
        let html = Html {
            lang,
            t,
            text: markup,
            link,
        }
        .render();
        let plain = Plain { t, text: plain, link }.render();
        let html = html.map_err(|error| MailError::Write(error.into()))?;
        let plain = plain.map_err(|error| MailError::Write(error.into()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(t.mail_subject.plain(&[]))
            .multipart(MultiPart::alternative_plain_html(plain, html))
            .map_err(|error| MailError::Write(error.into()))?;
        let sent = tokio::time::timeout(SENT_WITHIN, self.transport.send(message)).await;
        sent.map_err(|_| MailError::TimedOut)??;
        Ok(())
    }

    /// Whether the mail server can be reached and lets us in.
    pub(crate) async fn probe(&self) -> Result<(), MailError> {
        let asked = tokio::time::timeout(SENT_WITHIN, self.transport.test_connection()).await;
        if asked.map_err(|_| MailError::TimedOut)?? {
            Ok(())
        } else {
            Err(MailError::Unwilling)
        }
    }
}
