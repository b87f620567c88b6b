//! Settings that a person changes in a window, in the app that runs: the next question and the next search follow them.

use anyhow::Result;
use deepsearch_app::{App, AppOptions, AskRequest, Config};
use deepsearch_tests::model_server::Script;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::small_web::{SCRIPTED, SmallWeb};

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_takes_effect_with_the_next_question_and_the_next_search() -> Result<()> {
    crate::install_tls();
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("The lighthouse is 47 metres high [1].")).await?;
    let home = tempfile::tempdir()?;
    let path = home.path().to_string_lossy();
    let (model_url, engine_url) = (model.base(), web.engine.base());
    let settings = [
        ("HOME", path.as_ref()),
        ("MODELS__SCRIPTED__URL", model_url.as_str()),
        ("MODELS__DISCOVER_LOCAL", "false"),
        ("ENGINES__ORDER", "searxng"),
        ("ENGINES__SEARXNG__URL", engine_url.as_str()),
        ("CRAWL__ALLOW_PRIVATE", "true"),
    ];
    let config = Config::load(settings.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned())))?;
    let app = App::open(AppOptions::new(config)).await?;

    let found = async || Ok::<_, anyhow::Error>(app.search_web("the Zorvane lighthouse").await?.hits.len());
    assert!(found().await? > 1);
    app.update_setting("max_search_results", Some("1")).await?;
    assert_eq!(found().await?, 1);

    for chosen in ["extractive", SCRIPTED] {
        app.update_setting("default_model", Some(chosen)).await?;
        assert_eq!(app.default_model().await?.id, chosen);
    }

    app.update_setting("enable_search_by_default", Some("false")).await?;
    let searches = web.engine.asked().len();
    let question = || AskRequest {
        question: "Who built the tower on Zorvane?".into(),
        ..AskRequest::default()
    };
    let answer = app.ask(question(), |_| ()).await?;
    assert_eq!(web.engine.asked().len(), searches, "it was searched for");
    assert_eq!(answer.metadata.and_then(|told| told.model).as_deref(), Some(SCRIPTED));
    app.update_setting("enable_search_by_default", Some("true")).await?;
    app.ask(question(), |_| ()).await?;
    assert!(web.engine.asked().len() > searches, "it was not searched for");
    app.close().await;
    Ok(())
}
