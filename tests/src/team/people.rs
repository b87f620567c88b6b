//! People who sign in at a team's gateway: what they do in their browser, and how the command is brought its answer.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Team;
use crate::browser::{Browser, Visited};
use crate::cli::Home;
use crate::sign_in::{Waiting, bring};

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
        let (mut browser, consent) = self.consent(address, proof).await?;
        let answer = browser.submit(&consent, &[("decision", "allow")]).await?;
        ensure!(
            answer.url.path().ends_with("/callback"),
            "the page says {}",
            answer.body
        );
        Ok(answer.url.into())
    }

    /// The same, up to the page that asks for consent.
    ///
    /// # Errors
    /// When a page is not as it should be.
    pub async fn consent(&self, address: &str, proof: Proof<'_>) -> Result<(Browser, Visited)> {
        let mut browser = Browser::new()?;
        let chooser = browser.open(address).await?;
        let consent = self.prove(&mut browser, chooser, proof).await?;
        Ok((browser, consent))
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
                ensure!(sent.heading() == "Check your e-mail", "{}", sent.body);
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
        let link = self.sign_in(waiting.open()?, proof).await?;
        let page = bring(&link).await?;
        ensure!(page.contains("You are signed in"), "{page}");
        signed_in(waiting).await
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
        signed_in(waiting).await
    }
}

/// What `whoami` says, once it worked.
async fn signed_in(waiting: Waiting) -> Result<Value> {
    let (code, who) = waiting.end().await?;
    ensure!(code == Some(0), "ended with {code:?}: {who}");
    Ok(who)
}
