//! Answers that are watched while they are written: by several, from the midst, by who is slow, and until the app ends.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deepsearch_app::{App, AppError, AppOptions, AskRequest, Change, Config, RunningAnswer, Scope};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{Message, MessageState};
use deepsearch_tests::model_server::{MODEL, ModelServer, Script, prompt};
use deepsearch_tests::scripted_server::{Asked, Reply, ScriptedServer};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(20);

async fn app(model: &Url) -> Result<(App, TempDir)> {
    let home = tempfile::tempdir()?;
    let path = home.path().to_string_lossy();
    let settings = [
        ("HOME", path.as_ref()),
        ("MODELS__SCRIPTED__URL", model.as_str()),
        ("MODELS__DISCOVER_LOCAL", "false"),
    ];
    let config = Config::load(settings.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned())))?;
    Ok((App::open(AppOptions::new(config)).await?, home))
}

/// A model that writes so many words, some dozens at a time, and nothing after its answer.
async fn talkative(words: usize) -> Result<ModelServer> {
    ModelServer::start(move |request| {
        if prompt(request).contains("You are a helpful assistant") {
            Script::tokens((0..words).map(|n| format!("wörd{n} "))).in_pieces(8_000, Duration::from_millis(20))
        } else {
            Script::text("")
        }
    })
    .await
}

fn request() -> AskRequest {
    AskRequest {
        question: "Tell me a long story.".into(),
        scope: Some(Scope::None),
        model: Some(format!("scripted/{MODEL}")),
        ..AskRequest::default()
    }
}

type Asking = JoinHandle<Result<Message, AppError>>;

fn ask(app: &App, on_event: impl FnMut(AnswerEvent) + Send + 'static) -> Asking {
    let app = app.clone();
    tokio::spawn(async move { app.ask(request(), on_event).await })
}

async fn until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .with_context(|| format!("in vain: {what}"))
}

async fn running(app: &App) -> Result<RunningAnswer> {
    until("an answer is being written", || !app.running().is_empty()).await?;
    app.running().pop().context("it is still being written")
}

fn text(told: &[AnswerEvent]) -> String {
    let texts = told.iter().filter_map(|event| match event {
        AnswerEvent::Token { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_an_answer_in_its_midst_is_told_all_of_it() -> Result<()> {
    let model = talkative(1_500).await?;
    let (app, _home) = app(&model.base()).await?;
    let (sender, told) = mpsc::channel();
    // This one is slow, which costs nobody else anything.
    let asking = ask(&app, move |event| {
        std::thread::sleep(Duration::from_millis(5));
        let _ = sender.send(event);
    });
    let answer = running(&app).await?;
    let mut joined = Vec::new();
    assert!(app.watch(&answer.answer_id, |events| joined.extend(events)).await);
    let message = asking.await??;
    let first: Vec<AnswerEvent> = told.try_iter().collect();
    assert_eq!(message.state, MessageState::Complete);
    for told in [&first, &joined] {
        assert!(matches!(&told[0], AnswerEvent::Started { answer_id, .. } if *answer_id == answer.answer_id));
        assert!(matches!(told.last(), Some(AnswerEvent::Finished { message: told }) if *told == message));
        assert_eq!(text(told).trim_end(), message.content);
    }
    assert!(
        first.len() < 1_000,
        "who is slow is told in one piece what came meanwhile, not in {}",
        first.len()
    );
    assert!(!app.watch(&answer.answer_id, |_| {}).await, "it has ended");
    assert!(app.running().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heard_while_whoever_asked_does_not_listen() -> Result<()> {
    let model = talkative(30_000).await?;
    let (app, _home) = app(&model.base()).await?;
    let (release, released) = mpsc::channel::<()>();
    let (sender, told) = mpsc::channel();
    let mut blocks = true;
    let asking = ask(&app, move |event| {
        if matches!(event, AnswerEvent::Token { .. }) && std::mem::take(&mut blocks) {
            let _ = released.recv();
        }
        let _ = sender.send(event);
    });
    let answer = running(&app).await?;
    // More has come than any queue between the two would hold.
    let (watching, watched) = (app.clone(), answer.clone());
    let (much, enough) = tokio::sync::oneshot::channel();
    let mut much = Some(much);
    let watcher = tokio::spawn(async move {
        let mut length = 0;
        let count = |events: Vec<AnswerEvent>| {
            length += text(&events).len();
            if length > 10_000 {
                much.take().map(|much| much.send(()));
            }
        };
        watching.watch(&watched.answer_id, count).await
    });
    tokio::time::timeout(PATIENCE, enough).await??;
    assert!(app.stop(&answer.answer_id));
    until("the run ends", || app.running().is_empty()).await?;
    assert!(watcher.await?);
    let kept = app
        .store()
        .lookup_message(&answer.answer_id)
        .await?
        .context("it is kept")?;
    assert_eq!(kept.state, MessageState::Interrupted);

    release.send(())?;
    assert!(matches!(asking.await?, Err(AppError::Cancelled)));
    let told: Vec<AnswerEvent> = told.try_iter().collect();
    assert!(
        kept.content.starts_with(text(&told).trim_end()),
        "nothing is lost or doubled"
    );
    assert!(matches!(told.last(), Some(AnswerEvent::Failed { .. })));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_closes_stops_a_question_whose_model_is_still_looked_for() -> Result<()> {
    let list = ScriptedServer::start(|_: &Asked| Reply::status(404).after(Duration::from_secs(5))).await?;
    let (app, _home) = app(&list.url("v1/")).await?;
    let asking = ask(&app, |_| {});
    until("the model is looked for", || !list.asked().is_empty()).await?;
    app.close().await;
    assert!(matches!(asking.await?, Err(AppError::Cancelled)));
    ensure!(
        list.asked().iter().all(|asked| asked.method == "GET"),
        "the model was asked to write"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_told_to_have_changed_when_its_answer_begins_and_when_it_is_there() -> Result<()> {
    let model = talkative(10).await?;
    let (app, _home) = app(&model.base()).await?;
    let mut changes = app.changes();
    let message = app.ask(request(), |_| {}).await?;
    let chat = Change::Library {
        chats: vec![message.chat_id],
    };
    assert_eq!((changes.try_recv()?, changes.try_recv()?), (chat.clone(), chat));
    assert!(changes.try_recv().is_err(), "nothing else has changed");
    Ok(())
}
