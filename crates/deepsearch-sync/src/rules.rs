//! Rules that can be broken one at a time, so that tests show what each is for. In a real build none can.

/// A rule left out. Each stands for a mistake that is easily made; the simulation must notice every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// The cursor is saved before the rows that it has passed.
    CursorBeforeRows,
    /// Each try of a push has another id, as if the server made them.
    ServerMadeIds,
    /// A message whose chat is gone is taken for sent.
    OrphanDropped,
    /// What was left of a chat outlives it.
    LeftoversKept,
    /// Deletions that the server has forgotten are not looked for.
    NoCollectionCheck,
    /// Who loses a conflict keeps the row that lost.
    LoserKeepsItsRow,
    /// A message that the server deleted is deleted here too.
    TombstonesDelete,
    /// A restored server is taken for the one it was.
    EpochIgnored,
    /// A server that was put back, and says so by nothing but where it stands, is taken for the one it was.
    PutBackIgnored,
    /// What was not sent of a chat goes with it.
    NothingForked,
    /// What came before its chat is dropped.
    EarlyDropped,
    /// What changed while it was being sent is taken for sent.
    LaterChangeCleared,
    /// One copy stands for every message of its text.
    CopyForMany,
    /// Where tags were given on two devices, the later list of them takes the other's place.
    TagsTakenWhole,
}

/// How sync behaves, beside what it is told by its options.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Whether saved pages travel.
    pub(crate) pages: bool,
    /// Whether the server keeps the labels of chats.
    pub(crate) labels: bool,
    #[cfg(feature = "simulation")]
    pub(crate) mutant: Option<Mutant>,
}

impl Rules {
    #[cfg(feature = "simulation")]
    pub(crate) fn are_without(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    #[cfg(not(feature = "simulation"))]
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    pub(crate) fn are_without(&self, _: Mutant) -> bool {
        false
    }
}
