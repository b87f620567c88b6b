//! Arguments, with the words that help and the manual page say of them.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use deepsearch_app::Scope;
use deepsearch_core::TimeRange;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use url::Url;

/// Ask a question; get an answer in which every claim leads to the exact sentence of a saved source.
#[derive(Debug, Parser)]
#[command(
    name = "deepsearch",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_long_help = EXIT_CODES
)]
pub(crate) struct Args {
    /// Print JSON: one document, or for `ask` one event on each line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Let nothing leave this computer: only what is saved here and models that run here
    #[arg(long, global = true)]
    pub(crate) private: bool,
    /// Open the small window for a question in between; for a shortcut of your desktop
    #[arg(long, exclusive = true)]
    pub(crate) quick_ask: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes:
  0    done
  1    an error of our own
  2    the input breaks a rule
  3    there is no such chat, page, setting, engine, model or device
  4    the network, a server or a page failed
  5    a key is missing, refused or used up; nobody is signed in
  6    the disk or the data folder cannot be used
  7    nothing was found
  130  stopped with Ctrl-C; what came is kept

Environment:
  DEEPSEARCH_HOME  the data folder
  DEEPSEARCH_LOG   what is logged to standard error: warn, info, debug
  DEEPSEARCH_…     any setting: engines.searxng.url is DEEPSEARCH_ENGINES__SEARXNG__URL
  NO_COLOR         no colour, also on a terminal";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a question and get a cited answer
    Ask(Ask),
    /// Researches (`ask --deep`): list, show, change the plan, continue, stop
    #[command(subcommand)]
    Research(Research),
    /// Ask an old answer's question again, and see which of its sentences still hold
    Recheck(Recheck),
    /// Show the readable text of a page
    Read(Read),
    /// Search without answering
    Search(Search),
    /// Past chats: list, show, search, sort
    #[command(subcommand)]
    Chats(Chats),
    /// What an answer sent to whom, and what came back
    Ledger(Ledger),
    /// The sentences that an answer cites, with their files and lines
    Citations(Citations),
    /// The pictures of an answer's sources, from the copies that are kept
    Pictures(Pictures),
    /// What models were used for and what that cost, by month and chat
    Usage(Usage),
    /// Write chats to a file: JSON, Markdown, HTML that carries its evidence, or PDF
    Export(Export),
    /// Bring chats from ChatGPT, Claude, Perplexity, Open WebUI, Markdown or DeepSearch
    Import {
        /// The export as it was downloaded
        file: PathBuf,
        /// Only say what is in it
        #[arg(long)]
        preview: bool,
    },
    /// Settings: list, get, set
    #[command(subcommand)]
    Settings(Settings),
    /// Your own folders: which are searched, looking through them
    #[command(subcommand)]
    Folders(Folders),
    /// List the models that can be used
    Models,
    /// List the search engines and how they are doing
    Engines {
        /// Ask each engine in use one harmless question
        #[arg(long)]
        check: bool,
        /// Show when each was asked, how long it took and why it failed; name one to see only that
        #[arg(long, value_name = "ENGINE", num_args = 0..=1, default_missing_value = "", conflicts_with = "check")]
        history: Option<String>,
        /// How many of the last times
        #[arg(long, default_value_t = 50, requires = "history", value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Sign in at a gateway, which brings your chats to every device
    SignIn(SignIn),
    /// Sign this device out
    SignOut {
        /// Remove every chat, page and backup from this device too; settings stay
        #[arg(long)]
        remove: bool,
        /// With `--remove`, also what was not sent yet and chats that were not handed over, which are nowhere else
        #[arg(long, requires = "remove")]
        discard: bool,
        /// Sign out all your devices, this one included
        #[arg(long)]
        everywhere: bool,
    },
    /// Say who is signed in
    Whoami,
    /// The devices that you are signed in on
    Devices {
        #[command(subcommand)]
        command: Option<Devices>,
    },
    /// Bring your devices to hold the same: send what waits, bring what is new
    Sync(Sync),
    /// Backups of everything that is saved
    #[command(subcommand)]
    Backup(Backup),
    /// A team's shared database, for who looks after it
    #[command(subcommand)]
    Db(Db),
    /// Share chats between devices through a database of your own
    #[command(subcommand)]
    Share(Share),
    /// Check everything and say what to do
    Doctor,
    /// Let another assistant ask, search the history and read saved pages (Model Context Protocol)
    Mcp,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// Bring your devices to hold the same.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sync {
    /// Go on until Ctrl-C, and say what comes and goes
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(subcommand)]
    pub(crate) command: Option<SyncCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Where this device's chats go, and what waits
    Status,
    /// Send again what the server refused, for instance after it was given more room
    Retry,
    /// What lost when two devices changed the same, with its text
    Conflicts {
        /// Forget this one
        #[arg(long, value_name = "ID")]
        forget: Option<i32>,
    },
    /// Chats from before this device belonged to an account, which stay here until you hand them over
    Offers {
        /// Hand this chat over
        #[arg(long, value_name = "CHAT", conflicts_with_all = ["accept_all", "decline_all"])]
        accept: Vec<String>,
        /// Hand all of them over
        #[arg(long, conflicts_with = "decline_all")]
        accept_all: bool,
        /// Keep all of them on this device
        #[arg(long)]
        decline_all: bool,
    },
}

/// Ask a question and get a cited answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Ask {
    /// The question; `-` reads it from standard input
    #[arg(required_unless_present_any = ["regenerate", "continue_answer"])]
    pub(crate) question: Option<std::ffi::OsString>,
    /// Where the answer comes from, several as web,files [default: web and guide]
    #[arg(long = "in", value_name = "PLACE", value_delimiter = ',')]
    pub(crate) place: Vec<Place>,
    /// A file that the answer is to rest on; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// The model that writes, as provider/name, or `extractive`
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// Go on with this chat
    #[arg(long, value_name = "ID", conflicts_with_all = ["edit", "regenerate", "continue_answer"])]
    pub(crate) chat: Option<String>,
    /// Ask this earlier question in other words; the first wording stays
    #[arg(long, value_name = "MESSAGE", conflicts_with_all = ["regenerate", "continue_answer"])]
    pub(crate) edit: Option<String>,
    /// Answer this earlier question once more; the first answer stays
    #[arg(long, value_name = "MESSAGE", conflicts_with_all = ["question", "continue_answer"])]
    pub(crate) regenerate: Option<String>,
    /// Go on with this interrupted answer
    #[arg(long = "continue", value_name = "MESSAGE", conflicts_with = "question")]
    pub(crate) continue_answer: Option<String>,
    /// Only what is as recent as this
    #[arg(long, value_name = "RANGE")]
    pub(crate) since: Option<Since>,
    /// Research it: a plan, many searches, a report with sections
    #[arg(long)]
    pub(crate) deep: bool,
    /// Make the plan of a research and wait: `deepsearch research continue` goes on with it
    #[arg(long, requires = "deep", conflicts_with_all = ["continue_answer"])]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) budget: Budget,
}

/// What a research may cost.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Budget {
    /// Of a research: how often it searches at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) steps: Option<u32>,
    /// Of a research: how many pages it reads at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub(crate) pages: Option<u32>,
    /// Of a research: how long it works at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=180))]
    pub(crate) minutes: Option<u32>,
    /// Of a research: how many tokens of the model it uses at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=2_000_000))]
    pub(crate) tokens: Option<u32>,
    /// Of a research: how many US dollars the model may cost, by the prices in `models.prices`
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) money: Option<f64>,
}

impl Budget {
    pub(crate) fn options(self, plan_first: bool) -> deepsearch_app::ResearchOptions {
        deepsearch_app::ResearchOptions {
            steps: self.steps,
            pages: self.pages,
            minutes: self.minutes,
            tokens: self.tokens,
            money: self.money,
            plan_first,
        }
    }
}

/// Checking an old answer again: now, or by itself.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Recheck {
    #[arg(value_name = "MESSAGE")]
    pub(crate) answer: Option<String>,
    /// Only show what earlier rechecks found
    #[arg(long, requires = "answer")]
    pub(crate) history: bool,
    /// Only show what the latest recheck sent to whom
    #[arg(long, requires = "answer", conflicts_with = "history")]
    pub(crate) ledger: bool,
    #[command(subcommand)]
    pub(crate) schedule: Option<RecheckSchedule>,
}

/// Answers that are checked again by themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum RecheckSchedule {
    /// Check an answer again by itself, while the app is open
    Schedule {
        #[arg(value_name = "MESSAGE")]
        answer: String,
        every: Often,
    },
    /// List the answers that are checked again by themselves, the next one first
    List,
    /// Check the one whose time has come, as the open app does by itself
    Due,
}

/// How often.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Often {
    Daily,
    Weekly,
    Monthly,
    Off,
}

/// Researches: what they are at, and their plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Research {
    /// List researches, the latest first
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Show the plan of a research, and how far it is
    Show {
        #[arg(value_name = "MESSAGE")]
        answer: String,
    },
    /// Change its plan, also while it runs; questions are named by the numbers that `show` prints
    Edit(EditResearch),
    /// Go on with a research that was stopped, or whose plan waits
    Continue {
        #[arg(value_name = "MESSAGE")]
        answer: String,
        #[command(flatten)]
        budget: Budget,
        /// The model that writes, as provider/name, or `extractive`
        #[arg(long, value_name = "ID")]
        model: Option<String>,
    },
    /// Search no more: the report is written from what was found
    Stop {
        #[arg(value_name = "MESSAGE")]
        answer: String,
    },
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true)
    .args(["add", "remove", "reword", "order", "steps", "pages", "minutes", "tokens", "money"]))]
pub(crate) struct EditResearch {
    #[arg(value_name = "MESSAGE")]
    pub(crate) answer: String,
    /// Another question
    #[arg(long, value_name = "QUESTION")]
    pub(crate) add: Vec<String>,
    /// Where it stands: before this one
    #[arg(long, value_name = "NUMBER", requires = "add")]
    pub(crate) before: Option<u32>,
    /// Leave this question out
    #[arg(long, value_name = "NUMBER")]
    pub(crate) remove: Vec<u32>,
    /// Ask this question in other words
    #[arg(long, num_args = 2, value_names = ["NUMBER", "QUESTION"])]
    pub(crate) reword: Vec<String>,
    /// The order of the questions
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub(crate) order: Vec<u32>,
    #[command(flatten)]
    pub(crate) budget: Budget,
}

/// Where an answer is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// The web and the guide
    Web,
    /// Past chats and their saved pages
    Chats,
    /// Your own folders
    Files,
    /// Papers, with their year and DOI
    Academic,
    /// Forums, and questions with answers
    Discussions,
    /// Newspapers
    News,
    /// The built-in guide
    Guide,
    /// No search: the model alone
    // Another assistant has a model of its own.
    #[serde(skip)]
    None,
}

impl From<Place> for Scope {
    fn from(place: Place) -> Self {
        match place {
            Place::Web => Self::Web,
            Place::Chats => Self::Chats,
            Place::Files => Self::Files,
            Place::Academic => Self::Academic,
            Place::Discussions => Self::Discussions,
            Place::News => Self::News,
            Place::Guide => Self::Guide,
            Place::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Since {
    Day,
    Week,
    Month,
    Year,
}

impl From<Since> for TimeRange {
    fn from(since: Since) -> Self {
        match since {
            Since::Day => Self::Day,
            Since::Week => Self::Week,
            Since::Month => Self::Month,
            Since::Year => Self::Year,
        }
    }
}

/// Show the readable text of a page: of the web, of a file, or of many files.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["address", "html", "batch"]))]
pub(crate) struct Read {
    /// The page's address
    pub(crate) address: Option<Url>,
    /// A file that holds the page
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) html: Option<PathBuf>,
    /// The address that the file was had from
    #[arg(long, requires = "html")]
    pub(crate) url: Option<Url>,
    /// Read lines {"id","html_file","url"} and print lines {"id","title","text","error"}, many at a time
    #[arg(long)]
    pub(crate) batch: bool,
}

impl Read {
    pub(crate) fn is_local(&self) -> bool {
        self.batch || self.html.is_some()
    }
}

/// What models were used for.
#[derive(Debug, clap::Args)]
pub(crate) struct Usage {
    /// Only this month, as 2026-11
    #[arg(long, value_name = "MONTH", conflicts_with = "chat")]
    pub(crate) month: Option<String>,
    /// Only this chat
    #[arg(long, value_name = "ID")]
    pub(crate) chat: Option<String>,
}

/// What left this computer for an answer.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["message", "chat"]))]
pub(crate) struct Ledger {
    /// The answer; `deepsearch chats show` tells its ID
    pub(crate) message: Option<String>,
    /// All answers of this chat
    #[arg(long, value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// Print the texts that models were given, too
    #[arg(long)]
    pub(crate) texts: bool,
}

/// The sentences that an answer cites.
#[derive(Debug, clap::Args)]
pub(crate) struct Citations {
    /// The answer; `deepsearch chats show` tells its ID
    pub(crate) message: String,
    /// Only those of this source, by its number in the answer
    #[arg(long, value_name = "NUMBER")]
    pub(crate) number: Option<u32>,
}

/// The pictures of an answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Pictures {
    /// The answer; `deepsearch chats show` tells its ID
    pub(crate) message: String,
    /// Write them to this folder, which is made if it is missing
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}

/// Write chats to a file or to standard output.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["chats", "all", "collection", "tag"]))]
pub(crate) struct Export {
    /// The chats; several are one JSON document, or a zip with one of another format for each
    #[arg(value_name = "CHAT")]
    pub(crate) chats: Vec<String>,
    /// Every chat outside Trash
    #[arg(long)]
    pub(crate) all: bool,
    /// The chats of this collection, outside Trash
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// The chats with this tag, outside Trash
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<String>,
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: ExportFormat,
    /// Write here and not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Everything, to be imported again
    Json,
    /// To read and to edit
    Markdown,
    /// One file to share, in which each citation opens the quoted sentence
    Html,
    /// To print: answers with numbered citations, and their sources with the quoted sentences
    Pdf,
}

/// Search without answering.
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Ask only this engine; also `guide`, `chats` and `files`
    #[arg(long)]
    pub(crate) engine: Option<String>,
    /// How many results are wanted
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(crate) limit: u16,
    /// Only what is as recent as this
    #[arg(long, value_name = "RANGE")]
    pub(crate) since: Option<Since>,
    pub(crate) query: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Chats {
    /// List chats, the latest activity first
    List {
        #[arg(long, default_value = "active")]
        view: View,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// The chats after this one
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// Only chats of this collection
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
        /// Only chats with this tag
        #[arg(long)]
        tag: Option<String>,
    },
    /// Show a chat with its sources, at its newest messages
    Show {
        id: String,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// The messages before this one
        #[arg(long, value_name = "MESSAGE")]
        before: Option<String>,
    },
    /// Search questions, answers and saved pages
    Search {
        query: String,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
        limit: u16,
        #[command(flatten)]
        narrowed: Narrowed,
    },
    /// Give a chat another title
    Rename { id: String, title: String },
    /// Keep chats at the top
    Pin {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// No longer
        #[arg(long)]
        off: bool,
    },
    /// Put chats away
    Archive {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Bring them back
        #[arg(long)]
        off: bool,
    },
    /// Move chats to Trash, where they stay for 30 days
    Delete {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// For good, at once
        #[arg(long)]
        forever: bool,
    },
    /// Bring chats back from Trash
    Restore {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Put chats into a collection
    Move {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// The collection, by name or id
        #[arg(long, value_name = "NAME", required_unless_present = "out")]
        to: Option<String>,
        /// Out of the one that they are in
        #[arg(long, conflicts_with = "to")]
        out: bool,
    },
    /// Give chats a tag
    Tag {
        tag: String,
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Take a tag away from chats
    Untag {
        tag: String,
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// List the tags, and how many chats have each
    Tags,
    /// Collections of chats
    #[command(subcommand)]
    Collections(Collections),
    /// Searches that are kept under a name
    #[command(subcommand)]
    Searches(Searches),
    /// Undo a change of many chats: reads from standard input what it told with `--json`
    Undo,
}

/// Which part of the history is searched.
#[derive(Debug, clap::Args)]
pub(crate) struct Narrowed {
    /// Only this chat
    #[arg(long, value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// Only pages of this host, and answers with a source there
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// From this day on, as 2026-11-23
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<chrono::NaiveDate>,
    /// Before this day
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<chrono::NaiveDate>,
    /// Only the last so many days, today included
    #[arg(long, conflicts_with_all = ["from", "until"], value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
    /// Only pinned chats
    #[arg(long)]
    pub(crate) pinned: bool,
    /// Only chats of this collection
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// Only chats with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Collections {
    /// List the collections in their order, and how many chats are in each
    List,
    /// Make a collection
    Add { name: String },
    /// Give a collection another name
    Rename { collection: String, name: String },
    /// Put a collection at a place of the list; the first is 1
    Order {
        collection: String,
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
        place: u32,
    },
    /// Delete a collection; its chats stay
    Delete { collection: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Searches {
    /// List the saved searches
    List,
    /// Keep a search under a name, in place of the one that had it
    Save {
        name: String,
        query: String,
        #[command(flatten)]
        narrowed: Narrowed,
    },
    /// Ask a saved search again
    Run {
        name: String,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
        limit: u16,
    },
    /// Forget a saved search
    Delete { name: String },
}

/// Sign in at a gateway.
#[derive(Debug, clap::Args)]
pub(crate) struct SignIn {
    /// The gateway's address; it is kept as the setting `gateway.url`
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) gateway: Option<String>,
    /// Whom the gateway is to ask who you are, such as discord
    #[arg(long, value_name = "ID")]
    pub(crate) provider: Option<String>,
    /// Type a code in a browser anywhere [default where there is no browser here]
    #[arg(long, conflicts_with = "browser")]
    pub(crate) code: bool,
    /// Use the browser on this machine [default where there is one]
    #[arg(long)]
    pub(crate) browser: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Devices {
    /// Sign another device out
    Revoke { id: String },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum View {
    Active,
    Pinned,
    Archived,
    Trash,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// List all settings, their values and where those come from
    List,
    /// Show one setting
    Get { key: String },
    /// Change one setting; `-` reads the value from standard input, which keeps a key out of the shell's history
    Set { key: String, value: String },
    /// Put one setting back to its default
    Unset { key: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Folders {
    /// List the folders, and how much of each is indexed
    List,
    /// Search in this folder too, and look through it now
    Add {
        folder: PathBuf,
        /// Leave looking through it to the window or to `scan`
        #[arg(long)]
        later: bool,
    },
    /// Search in this folder no longer; nothing in it changes
    Remove { folder: PathBuf },
    /// Look through all folders for what has changed
    Scan,
    /// Look through folders no more until `resume`; what is indexed is still searched
    Pause,
    /// Go on looking through folders
    Resume,
    /// List what could not be read, and why
    Problems {
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// What comes after this path
        #[arg(long, value_name = "PATH")]
        after: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Make a backup now
    Create,
    /// List the backups, newest first
    List,
    /// Put a backup in place of what is there, which is backed up first
    Restore { name: String },
}

/// Where the shared database is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Address {
    /// The database as its owner, postgres://user:password@host/name; `-` reads it from standard input, which keeps the
    /// password out of the shell's history [default: the setting shared.url]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) url: Option<String>,
    /// At the address is a pooler that gives each transaction another connection (PgBouncer in transaction mode)
    #[arg(long)]
    pub(crate) pooled: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Bring the tables to this version, whoever made them before
    Migrate {
        #[command(flatten)]
        address: Address,
    },
    /// List the migrations and which of them have run
    Status {
        #[command(flatten)]
        address: Address,
    },
    /// Take the newest migration back
    Rollback {
        #[command(flatten)]
        address: Address,
        /// Every migration after this one; 0 takes all of them back
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
        /// Also where something is lost by it: rows of tables that DeepSearch made, saved pages, devices' logins
        #[arg(long)]
        force: bool,
    },
    /// Compare the tables, rights and roles with what they should be, and print what mends each difference
    Check {
        #[command(flatten)]
        address: Address,
    },
    /// Remove sessions, tokens and cached searches that ran out, revoked and long unused devices, and old tombstones
    Clean {
        #[command(flatten)]
        address: Address,
    },
    /// Say that the database was put back to an earlier state, by a snapshot or a dump, so that no device misses a change
    Restored {
        #[command(flatten)]
        address: Address,
    },
    /// Let the team's devices share search results and count searches, or not any more; without `on` or `off`, say which
    ShareSearches {
        shared: Option<Switch>,
        #[command(flatten)]
        address: Address,
    },
    /// Write an empty pair of migrations, for who develops DeepSearch
    New {
        /// What it does, in small letters: page_language
        name: String,
        #[arg(long, default_value = "migrations/postgres")]
        folder: PathBuf,
    },
    #[command(flatten)]
    Look(DatabaseLook),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// Looking into the shared database, as its owner.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseLook {
    /// What was searched for: most asked, by day, by engine; counted where the team shares its cache
    Stats {
        #[command(flatten)]
        address: Address,
        /// How many days back, today included
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
        days: u16,
        /// How many of the questions that were asked most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
        most: u16,
    },
    /// Tables, and how many rows each has
    Tables {
        #[command(flatten)]
        address: Address,
    },
    /// Rows of a table; tokens are not shown
    Rows {
        #[command(flatten)]
        address: Address,
        table: String,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// The rows after these, as the page before names them
        #[arg(long, value_name = "END")]
        after: Option<String>,
    },
    /// Who is signed in
    Sessions {
        #[command(flatten)]
        address: Address,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=199))]
        limit: u16,
        /// The sessions after these, as the page before names them
        #[arg(long, value_name = "END")]
        after: Option<String>,
    },
    /// End a session, by its id in the list: whoever it is has to sign in again
    EndSession {
        #[command(flatten)]
        address: Address,
        id: String,
    },
}

impl DatabaseLook {
    pub(crate) fn address(&self) -> &Address {
        match self {
            Self::Stats { address, .. }
            | Self::Tables { address }
            | Self::Rows { address, .. }
            | Self::Sessions { address, .. }
            | Self::EndSession { address, .. } => address,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Share {
    /// Prepare the database and let this device in; the owner's password is not kept
    Init {
        #[command(flatten)]
        address: Address,
        /// Your e-mail address, which makes you its user
        #[arg(long)]
        email: Option<String>,
        /// Your name
        #[arg(long, requires = "email")]
        name: Option<String>,
    },
}
