//! The child: this test binary once more, doing one thing in a process of its own that a test may kill or starve.
//! It acknowledges each step on its standard output, only after the store has.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use deepsearch_sqlite::{NewTurn, Store, StoreOptions};

use crate::support::{complete, report};

const TASK: &str = "DEEPSEARCH_TEST_CHILD";
const HOME: &str = "DEEPSEARCH_TEST_CHILD_STORE";

/// What the child said, one step a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Opened,
    Asked(String),
    /// An answer's id, and how much of its text is kept.
    Journalled(String, usize),
    Finished(String),
    BackedUp(PathBuf),
    /// The code and the words of an error.
    Refused(String),
    Note(String),
}

impl Step {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, line) = line.split_once('>')?;
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            "opened" => Self::Opened,
            "asked" => Self::Asked(rest.into()),
            "journalled" => {
                let (id, length) = rest.split_once(' ')?;
                Self::Journalled(id.into(), length.parse().ok()?)
            }
            "finished" => Self::Finished(rest.into()),
            "backed-up" => Self::BackedUp(rest.into()),
            "refused" => Self::Refused(rest.into()),
            "note" => Self::Note(rest.into()),
            _ => return None,
        })
    }
}

pub(crate) fn command(task: &str, store: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "child::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(TASK, task)
        .env(HOME, store)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Every whole line that the child has said, and will say until it ends.
pub(crate) fn steps(child: &mut Child) -> impl Iterator<Item = Step> + use<> {
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| Step::parse(&line))
}

/// The n-th piece of every answer: what was journalled can be told from its length.
pub(crate) fn text(length: usize) -> String {
    "All that was acknowledged is kept, word for word. "
        .chars()
        .cycle()
        .take(length)
        .collect()
}

fn say(step: &str) {
    report(&format!(">{step}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run in a process of its own by the tests that kill it"]
async fn child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(HOME)) else {
        return;
    };
    let store = Store::open(PathBuf::from(path), StoreOptions::default()).await.unwrap();
    say("opened .");
    match task.as_str() {
        "write" => write(&store, usize::MAX, 4).await,
        "write-40" => write(&store, 40, usize::MAX).await,
        "fill" => fill(&store).await,
        "starve" => starve(&store).await,
        _ => {}
    }
    store.close().await;
}

/// Asks and answers, and makes a backup now and then.
async fn write(store: &Store, turns: usize, turns_per_backup: usize) {
    const PIECE: usize = 60;
    for number in 1..=turns {
        let turn = NewTurn {
            question: format!("question {number}"),
            ..NewTurn::default()
        };
        let turn = store.begin_answer(turn).await.unwrap();
        let id = &turn.answer.id;
        say(&format!("asked {}", turn.question.id));
        for piece in 1..=4 {
            let so_far = text(piece * PIECE);
            store.journal_text(id, &so_far[(piece - 1) * PIECE..]).await.unwrap();
            say(&format!("journalled {id} {}", so_far.len()));
        }
        store.finish_answer(id, complete(&text(5 * PIECE))).await.unwrap();
        say(&format!("finished {id}"));
        if number % turns_per_backup == 0 {
            let backup = store.create_backup().await.unwrap();
            say(&format!("backed-up {}", backup.path.display()));
        }
    }
}

/// Begins an answer, lets something else take all the room, and goes on writing.
async fn fill(store: &Store) {
    let turn = NewTurn {
        question: "How much fits?".into(),
        ..NewTurn::default()
    };
    let turn = store.begin_answer(turn).await.unwrap();
    say(&format!("asked {}", turn.question.id));
    take_all_room(&store.path().with_file_name("something-else"));
    let ballast = store.path().with_file_name("deepsearch.sqlite-ballast");
    let mut length = 0;
    while ballast.exists() && length < 8 << 20 {
        let next = text(length + 20_000);
        match store.journal_text(&turn.answer.id, &next[length..]).await {
            Ok(()) => length = next.len(),
            Err(error) => return say(&format!("note refused before the ballast was given: {error}")),
        }
        say(&format!("journalled {} {length}", turn.answer.id));
    }
    say("note the ballast is given");
    match store.finish_answer(&turn.answer.id, complete(&text(length))).await {
        Ok(_) => say(&format!("finished {}", turn.answer.id)),
        Err(error) => say(&format!("note refused although there was ballast: {error}")),
    }
    starve(store).await;
}

/// Writes until the store says that it cannot.
async fn starve(store: &Store) {
    for number in 0..2_000 {
        let turn = NewTurn {
            question: format!("{number}: {}", text(20_000)),
            ..NewTurn::default()
        };
        match store.begin_answer(turn).await {
            Ok(turn) => say(&format!("asked {}", turn.question.id)),
            Err(error) => return say(&format!("refused {:?}: {error}", error.code())),
        }
    }
}

fn take_all_room(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [64 << 10, 4 << 10, 512] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}
