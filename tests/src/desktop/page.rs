//! One window as a person meets it: things found by what they are and how they are called, never by how they are made.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::Client;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};

use super::until;

/// Finds by role and name; gives elements.
const FIND: &str = include_str!("find.js");

/// What has not moved for so long stands still.
const STILL: Duration = Duration::from_millis(60);

/// A window of the app.
#[derive(Debug, Clone)]
pub struct Page {
    client: Client,
    handle: WindowHandle,
}

impl Page {
    pub(super) fn new(client: Client, handle: WindowHandle) -> Self {
        Self { client, handle }
    }

    /// Runs a function's body in the page and gives what it returns.
    ///
    /// # Errors
    /// When it throws, or the page does not answer.
    pub async fn eval(&self, script: &str) -> Result<Value> {
        self.eval_with(script, Vec::new()).await
    }

    /// As [`Page::eval`], with `arguments`.
    ///
    /// # Errors
    /// When it throws, or the page does not answer.
    pub async fn eval_with(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let told = async {
            self.client.switch_to_window(self.handle.clone()).await?;
            self.client.execute(script, arguments).await
        };
        let told = tokio::time::timeout(super::PATIENCE, told)
            .await
            .context("the page does not answer")?;
        Ok(told?)
    }

    /// As [`Page::eval`], for a body that awaits.
    ///
    /// # Errors
    /// When it rejects, or the page does not answer.
    pub async fn call(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let body = format!(
            "const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1); \
             (async (...given) => {{ {script} }})(...given).then(value => done({{ value }}), \
             error => done({{ error: error?.message ?? JSON.stringify(error) ?? String(error) }}));"
        );
        self.client.switch_to_window(self.handle.clone()).await?;
        let told = self.client.execute_async(&body, arguments);
        let mut told = tokio::time::timeout(super::PATIENCE, told)
            .await
            .context("the page does not answer")??;
        match told.get("error") {
            Some(error) => bail!("the page says {error}"),
            None => Ok(told["value"].take()),
        }
    }

    /// Waits until a function's body returns something.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn until(&self, what: &str, script: &str) -> Result<Value> {
        until(what, async || {
            let value = self.eval(script).await?;
            let is_nothing = value.is_null() || value == json!(false) || value == json!("") || value == json!(0);
            Ok((!is_nothing).then_some(value))
        })
        .await
    }

    /// All that can be read in the window.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn text(&self) -> Result<String> {
        Ok(self
            .eval("return document.body.innerText")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Waits until something can be read; `pattern` is a regular expression.
    ///
    /// # Errors
    /// With all that can be read instead.
    pub async fn shows(&self, pattern: &str) -> Result<()> {
        let script = "return new RegExp(arguments[0], 'iu').test(document.body.innerText)";
        self.reads(&format!("`{pattern}` to be read"), script, pattern).await
    }

    /// Waits until something can no longer be read.
    ///
    /// # Errors
    /// With all that can be read.
    pub async fn lacks(&self, pattern: &str) -> Result<()> {
        let script = "return !new RegExp(arguments[0], 'iu').test(document.body.innerText)";
        self.reads(&format!("`{pattern}` to go"), script, pattern).await
    }

    async fn reads(&self, what: &str, script: &str, pattern: &str) -> Result<()> {
        let waited = until(what, async || {
            let told = self.eval_with(script, vec![json!(pattern)]).await?;
            Ok((told == json!(true)).then_some(()))
        });
        match waited.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("reading\n{}", self.text().await.unwrap_or_default()))),
        }
    }

    /// The element of this role whose name matches, once there is one that can be seen.
    ///
    /// # Errors
    /// With the names of all that have the role.
    pub async fn find(&self, role: &str, name: &str) -> Result<Element> {
        let what = format!("{role} `{name}`");
        let found = until(&what, async || Ok(self.found(role, name).await?.into_iter().next()));
        match found.await {
            Ok(found) => Ok(found),
            Err(error) => {
                let names = self.names(role).await.unwrap_or_default();
                Err(error.context(format!("there are as {role}: {names:?}")))
            }
        }
    }

    /// All elements of this role whose name matches and that can be seen now.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn found(&self, role: &str, name: &str) -> Result<Vec<Element>> {
        let told = self
            .eval_with(FIND, vec![json!(role), json!(name), json!(false)])
            .await?;
        let references = told.as_array().cloned().unwrap_or_default();
        let element = |reference: Value| {
            let id = reference.as_object()?.values().next()?.as_str()?.to_owned();
            Some(Element::from_element_id(self.client.clone(), ElementRef::from(id)))
        };
        Ok(references.into_iter().filter_map(element).collect())
    }

    /// The names of all elements of this role that can be seen.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn names(&self, role: &str) -> Result<Vec<String>> {
        let told = self.eval_with(FIND, vec![json!(role), json!(""), json!(true)]).await?;
        Ok(serde_json::from_value(told)?)
    }

    /// Clicks what has this role and name.
    ///
    /// # Errors
    /// When it is not there, or lies under something else.
    pub async fn click(&self, role: &str, name: &str) -> Result<()> {
        // A list may be drawn anew between finding and clicking; what still moves, or lies under something, is missed.
        until(&format!("{role} `{name}` to be clicked"), async || {
            let element = self.find(role, name).await?;
            let place = self.place(&element).await?;
            tokio::time::sleep(STILL).await;
            if place.is_null() || self.place(&element).await? != place {
                return Ok(None);
            }
            element.click().await?;
            Ok(Some(()))
        })
        .await
    }

    /// Where an element takes clicks, once it is scrolled into sight; nothing while it takes none.
    async fn place(&self, element: &Element) -> Result<Value> {
        let script = "
            const [element] = arguments;
            element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
            const { x, y, width, height } = element.getBoundingClientRect();
            const hit = document.elementFromPoint(x + width / 2, y + height / 2);
            return hit && (element.contains(hit) || hit.contains(element) && hit.matches('label')) ? [x, y] : null";
        self.eval_with(script, vec![serde_json::to_value(element)?]).await
    }

    /// Puts the pointer over what has this role and name.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn hover(&self, role: &str, name: &str) -> Result<()> {
        use fantoccini::actions::{MouseActions, PointerAction};
        let element = self.find(role, name).await?;
        let over = PointerAction::MoveToElement {
            element,
            duration: Some(Duration::from_millis(50)),
            x: 0.0,
            y: 0.0,
        };
        Ok(self
            .client
            .perform_actions(MouseActions::new("mouse".into()).then(over))
            .await?)
    }

    /// Writes into a field, in the place of what stood there.
    ///
    /// # Errors
    /// When it is not there or takes no text.
    pub async fn write(&self, role: &str, name: &str, text: &str) -> Result<()> {
        let field = self.find(role, name).await?;
        field.click().await?;
        self.press(&[Key::Control.into(), 'a']).await?;
        if text.is_empty() {
            return self.press(&[Key::Delete.into()]).await;
        }
        field.send_keys(text).await.context("writing")
    }

    /// Presses keys together, in the order given, where the focus is: `[Key::Control.into(), Key::Enter.into()]`.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn press(&self, keys: &[char]) -> Result<()> {
        self.client.switch_to_window(self.handle.clone()).await?;
        let down = keys.iter().map(|key| KeyAction::Down { value: *key });
        let up = keys.iter().rev().map(|key| KeyAction::Up { value: *key });
        let actions = down
            .chain(up)
            .fold(KeyActions::new("keys".into()), |actions, key| actions.then(key));
        Ok(self.client.perform_actions(actions).await?)
    }

    /// Loads the page anew, as Ctrl+R would in a browser.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn reload(&self) -> Result<()> {
        self.client.switch_to_window(self.handle.clone()).await?;
        self.client.refresh().await?;
        self.until("the page to be loaded", "return document.readyState === 'complete'")
            .await
            .map(drop)
    }
}

/// What all windows show, for the record of a failure.
pub(super) async fn dump(client: &Client) -> String {
    let mut told = String::new();
    for handle in client.windows().await.unwrap_or_default() {
        let _ = client.switch_to_window(handle.clone()).await;
        let script = "return [location.href, document.body.innerText, document.body.outerHTML]";
        match client.execute(script, Vec::new()).await {
            Ok(shown) => {
                let part = |at: usize| shown[at].as_str().unwrap_or_default();
                told += &format!("\n{}\n{}\n\n{}\n", part(0), part(1), part(2));
            }
            Err(error) => told += &format!("\n{error}\n"),
        }
    }
    told
}
