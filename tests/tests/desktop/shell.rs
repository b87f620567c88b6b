//! The desktop around the window: tray, shortcut, second starts, links.

use anyhow::Result;
use deepsearch_tests::desktop::{journey};
use deepsearch_tests::small_web::offline;

#[tokio::test(flavor = "multi_thread")]
async fn smoke() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let tray = desktop.show_tray().await?;
        let t = std::time::Instant::now();
        let app = desktop.start(&home).await?;
        eprintln!("started {:?}", t.elapsed());
        let main = app.main().await?;
        eprintln!("main {:?} {}", t.elapsed(), main.text().await?);
        eprintln!("{:?} focus {:?}", desktop.windows().await?, desktop.focused().await?);
        eprintln!("tray {:?}", tray.labels().await?);
        tray.click("Ask…").await?;
        desktop.until_window("DeepSearch – quick ask", true).await?;
        eprintln!("{:?}", desktop.windows().await?);
        let quick = app.quick().await?;
        eprintln!("quick {}", quick.text().await?);
        desktop.press("ctrl+shift+space").await?;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        eprintln!("{:?}", desktop.windows().await?);
        desktop.press("ctrl+shift+space").await?;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        eprintln!("{:?} {:?}", desktop.windows().await?, desktop.focused().await);
        desktop.start_again(&home, &["--quick-ask"]).await?;
        desktop.start_again(&home, &["deepsearch://auth/callback?code=a&state=b"]).await?;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        eprintln!("main {}", main.text().await?);
        desktop.open_address(&home, "deepsearch://evil/x?code=a&state=b").await?;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        eprintln!("main {}", main.text().await?);
        eprintln!("{:?}", main.call("return await window.__TAURI_INTERNALS__.invoke('open_link', {url: 'http://example.com/x?y'})", vec![]).await);
        eprintln!("{:?}", main.call("return await window.__TAURI_INTERNALS__.invoke('open_link', {url: 'file:///etc/passwd'})", vec![]).await);
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        eprintln!("opened {:?}", desktop.opened());
        eprintln!("{:?}", app.processes());
        eprintln!("online {:?}", main.eval("return navigator.onLine").await?);
        desktop.close_window("DeepSearch").await?;
        desktop.until_window("DeepSearch", false).await?;
        eprintln!("running {}", app.is_running());
        app.kill().await?;
        let app = desktop.start_as(&home, &deepsearch_tests::desktop::Start{network: deepsearch_tests::desktop::Network::Gone, ..Default::default()}).await?;
        let main = app.main().await?;
        eprintln!("online {:?}", main.eval("return navigator.onLine").await?);
        app.quit().await?;
        let left = desktop.end();
        eprintln!("left {left:?} {}", desktop.log());
        Ok(())
    }).await
}
