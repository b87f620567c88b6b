//! Pictures of an answer's sources: copied while it is written, looked at without a network, and never asked for where the
//! person does not want them.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_servers::{Exchange, RecordingProxy};
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::model_server::Script;
use deepsearch_tests::small_web::with_model;
use image::{ImageFormat, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

use crate::purpose::answering;
use crate::world::{finished, searching, text};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

/// A page with a photograph, one that names a program as its picture, one that has none.
async fn web() -> Result<(TempDir, Site, FakeEngine)> {
    web_behind(|_| Ok(None)).await
}

/// The same, its site behind a proxy: `proxy` is told the site's port and gives that of the proxy.
async fn web_behind(proxy: impl FnOnce(u16) -> Result<Option<u16>>) -> Result<(TempDir, Site, FakeEngine)> {
    let folder = tempfile::tempdir()?;
    let mut photograph = Cursor::new(Vec::new());
    RgbImage::from_fn(900, 600, |x, y| image::Rgb([(x / 5) as u8, (y / 4) as u8, 120]))
        .write_to(&mut photograph, ImageFormat::Jpeg)?;
    std::fs::write(folder.path().join("tower.jpg"), photograph.into_inner())?;
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><script>alert(1)</script></svg>"#;
    std::fs::write(folder.path().join("tower.svg"), svg)?;
    let pages = [
        (
            "height.html",
            r#"<meta property="og:image" content="tower.jpg"><meta property="og:image:alt" content="The tower">"#,
        ),
        ("visit.html", r#"<meta property="og:image" content="tower.svg">"#),
        ("history.html", ""),
    ];
    for (name, head) in pages {
        let page = format!(
            "<html><head><title>The Zorvane lighthouse: {name}</title>{head}</head><body><article>\
            <p>The Zorvane lighthouse is 47 metres high, as {name} says. Its tower was built of grey granite from Ummel.</p>\
            <p>The lantern room is reached by 212 steps, and visitors may climb it from April to October.</p></article></body></html>"
        );
        std::fs::write(folder.path().join(name), page)?;
    }
    let site = Site::serve(folder.path()).await?;
    let site = match proxy(site.base().port().context("a port")?)? {
        Some(port) => site.known_by(port),
        None => site,
    };
    let engine = FakeEngine::start("searxng", Arc::new(LocalIndex::of(&[&site], &[])?)).await?;
    Ok((folder, site, engine))
}

/// The model answers when `site` was asked for its picture, and after a while in which a copy can be drawn.
async fn asked(home: Home, site: Option<&Arc<Site>>) -> Result<(Home, Value)> {
    let site = site.cloned();
    let model = answering(move |_| {
        let came = || site.as_ref().is_none_or(|site| site.requests("/tower.jpg") > 0);
        // The site is served by the same runtime.
        tokio::task::block_in_place(|| {
            let began = Instant::now();
            while !came() && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Script::text("The lighthouse is 47 metres high [1].").first_token_after(Duration::from_secs(3))
    })
    .await?;
    let home = with_model(home, &model);
    let message = finished(&home.run(["ask", "--in", "web", "--json", QUESTION])?.succeeded()?)?;
    Ok((home, message))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_copied_once_and_looked_at_without_a_network() -> Result<()> {
    let (_folder, site, engine) = web().await?;
    let site = Arc::new(site);
    let (home, message) = asked(searching(&engine)?, Some(&site)).await?;
    assert_eq!(site.requests("/tower.jpg"), 1);
    drop((site, engine));

    let saved = tempfile::tempdir()?;
    let id = text(&message["id"]);
    let folder = saved.path().join("pictures");
    let folder = folder.to_str().context("a path of plain letters")?;
    let told = home
        .run(["pictures", &id, "--save", folder, "--json"])?
        .succeeded()?
        .json()?;
    let told = told.as_array().context("a list")?;
    assert_eq!(told.len(), 1, "a program is no picture: {told:#?}");
    assert_eq!(
        (told[0]["width"].as_u64(), told[0]["height"].as_u64()),
        (Some(800), Some(533))
    );
    assert_eq!(text(&told[0]["alt"]), "The tower");
    let file = std::fs::read(text(&told[0]["file"]))?;
    assert_eq!(image::load_from_memory(&file)?.width(), 800);
    // And it goes with its chat.
    home.run(["chats", "delete", &text(&message["chat_id"]), "--forever"])?
        .succeeded()?;
    assert_eq!(home.run(["pictures", &id])?.code, Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pictures_asked_of_whom_is_a_line_of_the_ledger_as_a_proxy_saw_it() -> Result<()> {
    let mut proxy = None;
    let (_folder, site, engine) = web_behind(|port| {
        let recording = RecordingProxy::before(port)?;
        let known_by = recording.port();
        proxy = Some(recording);
        Ok(Some(known_by))
    })
    .await?;
    let (site, proxy) = (Arc::new(site), proxy.context("a proxy before the site")?);
    let (home, message) = asked(searching(&engine)?, Some(&site)).await?;
    let of_pictures = |exchange: &Exchange| exchange.target.starts_with("/tower.");
    let exchanges: Vec<Exchange> = proxy.exchanges().into_iter().filter(of_pictures).collect();
    let sum = |size: fn(&Exchange) -> usize| exchanges.iter().map(size).sum::<usize>();
    assert!(
        sum(|one| one.answer.len()) > 10_000,
        "the photograph went by: {}",
        exchanges.len()
    );

    let ledger = home
        .run(["ledger", &text(&message["id"]), "--json"])?
        .succeeded()?
        .json()?;
    let contacts = ledger[0]["ledger"]["contacts"].as_array().context("contacts")?;
    let lines: Vec<&Value> = contacts
        .iter()
        .filter(|contact| contact["errand"] == "picture")
        .collect();
    assert_eq!(lines.len(), 1, "one host, one line: {ledger:#}");
    let line = lines[0];
    assert_eq!(line["host"], format!("127.0.0.1:{}", proxy.port()), "{line}");
    assert_eq!(line["requests"], exchanges.len(), "{line}");
    assert_eq!(
        line["bytes_out"],
        sum(|one| one.target.len() + one.body.len()),
        "{line}"
    );
    assert_eq!(line["bytes_in"], sum(|one| one.answer.len()), "{line}");
    let told = home.run(["ledger", &text(&message["id"])])?.succeeded()?.stdout;
    assert!(
        told.lines()
            .any(|told| told.contains("picture") && told.contains("127.0.0.1")),
        "{told}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_pictures_asks_nobody_for_them() -> Result<()> {
    let (_folder, site, engine) = web().await?;
    let (home, message) = asked(searching(&engine)?.set("answer.pictures", "false"), None).await?;
    assert_eq!(site.requests("/tower.jpg") + site.requests("/tower.svg"), 0);
    let told = home.run(["pictures", &text(&message["id"])])?;
    assert_eq!(told.code, Some(7), "{}", told.stderr);
    Ok(())
}
