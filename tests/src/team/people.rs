//! People who sign in at a team's gateway: what they do in their browser, and how the command is brought its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use url::Url;

use super::Team;
use crate::browser::{Browser, Visited};
use crate::cli::Home;

/// How a person proves who they are.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// An account at the company's OpenID provider.
    Company(&'a str),
    /// A mailbox.
    Mail(&'a str),
}

impl Team {
    /// What a person does in a browser of their own, from the address that the app opens to the link for the app.
    ///
    /// # Errors
    /// When a page is not as it should be.
    pub async fn sign_in(&self, address: &str, proof: Proof<'_>) -> Result<String> {
        let mut browser = Browser::new()?;
        let chooser = browser.open(address).await?;
        let consent = self.prove(&mut browser, chooser, proof).await?;
        let answer = browser.submit(&consent, &[("decision", "allow")]).await?;
        ensure!(
            answer.url.path().ends_with("/callback"),
            "the page says {}",
            answer.body
        );
        Ok(answer.url.into())
    }

    async fn prove(&self, browser: &mut Browser, chooser: Visited, proof: Proof<'_>) -> Result<Visited> {
        let is_consent = |page: &Visited| page.heading().starts_with("Sign in to DeepSearch on ");
        let consent = match proof {
            Proof::Company(login) => {
                // An app that named the provider has led there already.
                let page = match chooser.url.port() == Some(self.openid.port) {
                    true => chooser,
                    false => browser.follow(&chooser, "/sign-in/company").await?,
                };
                // The provider's own pages: who it is, then what the team may know.
                let agree = browser.submit(&page, &[("login", login), ("password", "any")]).await?;
                browser.submit(&agree, &[]).await?
            }
            Proof::Mail(address) => {
                let form = browser.follow(&chooser, "/sign-in/email").await?;
                let sent = browser.submit(&form, &[("address", address)]).await?;
                ensure!(sent.heading() == "Look into your mailbox", "{}", sent.body);
                browser.open(&self.next_link(address)?).await?
            }
        };
        ensure!(is_consent(&consent), "no consent page: {}", consent.body);
        Ok(consent)
    }

    /// The link in the next mail, which is to this address.
    fn next_link(&self, address: &str) -> Result<String> {
        let told: Value = serde_json::from_str(&self.mail.next_line()?)?;
        ensure!(told["to"][0] == address, "a mail to {}", told["to"]);
        // Quoted-printable breaks long lines by `=` at their end, and writes `=` itself as `=3D`.
        let mail = told["mail"].as_str().context("a mail")?;
        let mail = mail.replace("=\r\n", "").replace("=3D", "=");
        let at = mail.find("http://").with_context(|| format!("no link in {mail}"))?;
        Ok(mail[at..].split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// Signs a device in by the command, through the browser of its machine. Gives what `whoami` says.
    ///
    /// # Errors
    /// When it does not work.
    pub async fn admit(&self, home: &Home, proof: Proof<'_>) -> Result<Value> {
        let waiting = Waiting::begin(home, &["--browser"])?;
        let link = self
            .sign_in(waiting.says["open"].as_str().context("an address")?, proof)
            .await?;
        let page = tokio::task::spawn_blocking(move || bring(&link)).await??;
        ensure!(page.contains("You are signed in"), "{page}");
        waiting.signed_in().await
    }

    /// Signs a device in by a code, which the person types on another one.
    ///
    /// # Errors
    /// When it does not work.
    pub async fn admit_by_code(&self, home: &Home, proof: Proof<'_>) -> Result<Value> {
        let waiting = Waiting::begin(home, &["--code"])?;
        let told = |name: &str| {
            waiting.says["waiting"][name]
                .as_str()
                .with_context(|| format!("{name} in {}", waiting.says))
        };
        let mut browser = Browser::new()?;
        let page = browser.open(told("code_address")?).await?;
        let chooser = browser.submit(&page, &[("user_code", told("user_code")?)]).await?;
        let consent = self.prove(&mut browser, chooser, proof).await?;
        let done = browser.submit(&consent, &[("decision", "allow")]).await?;
        ensure!(done.status == 200, "{}", done.body);
        waiting.signed_in().await
    }
}

/// A sign-in that waits: the command, and what it says of how to go on.
struct Waiting {
    child: Child,
    output: BufReader<ChildStdout>,
    says: Value,
}

impl Waiting {
    fn begin(home: &Home, args: &[&str]) -> Result<Self> {
        let mut child = home.spawn(["sign-in", "--json"].iter().chain(args))?;
        let mut output = BufReader::new(child.stdout.take().context("its output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let says = serde_json::from_str(&line).with_context(|| format!("it says `{line}`"))?;
        Ok(Self { child, output, says })
    }

    async fn signed_in(mut self) -> Result<Value> {
        let ended = tokio::task::spawn_blocking(move || {
            let mut rest = String::new();
            self.output.read_to_string(&mut rest)?;
            anyhow::Ok((self.child.wait()?, rest))
        });
        let (status, rest) = ended.await??;
        ensure!(status.success(), "ended with {status}: {rest}");
        serde_json::from_str(&rest).with_context(|| format!("it says `{rest}`"))
    }
}

/// What a browser does with the answer for a listener on this machine.
fn bring(link: &str) -> Result<String> {
    let url: Url = link.parse()?;
    let place = format!("127.0.0.1:{}", url.port().context("a port")?);
    let mut stream = std::net::TcpStream::connect(&place)?;
    let target = &url[url::Position::BeforePath..];
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {place}\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}
