//! Named points at which a test can make the process die, to see how a half-done action is recovered.
//!
//! `HOSTLER_FAILPOINT=<name>` aborts at the first pass, `<name>:<n>` at the n-th. The points exist in builds with debug
//! assertions or the feature `failpoints`; in all others they compile to nothing.

/// A point in the life of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failpoint {
    /// The plan is about to be written to the journal.
    BeforeHeader,
    /// The plan is in the journal, nothing is done yet.
    AfterHeader,
    /// A step is about to be written to the journal as begun.
    BeforeBegin,
    /// A step is in the journal as begun, its driver is not called yet.
    AfterBegin,
    /// A driver has done its work, the journal does not say so yet.
    AfterDriver,
    /// A driver has done its work, and the journal says so.
    AfterEnd,
    /// Between one step and the next one.
    BetweenSteps,
    /// A rollback is about to undo a step.
    BeforeUndo,
    /// A rollback has undone a step, the journal does not say so yet.
    AfterUndo,
    /// All is done, the journal does not say so yet.
    BeforeDone,
}

impl Failpoint {
    /// Every point.
    pub const ALL: [Failpoint; 10] = [
        Failpoint::BeforeHeader,
        Failpoint::AfterHeader,
        Failpoint::BeforeBegin,
        Failpoint::AfterBegin,
        Failpoint::AfterDriver,
        Failpoint::AfterEnd,
        Failpoint::BetweenSteps,
        Failpoint::BeforeUndo,
        Failpoint::AfterUndo,
        Failpoint::BeforeDone,
    ];

    /// The name, as in the environment variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Failpoint::BeforeHeader => "before-header",
            Failpoint::AfterHeader => "after-header",
            Failpoint::BeforeBegin => "before-begin",
            Failpoint::AfterBegin => "after-begin",
            Failpoint::AfterDriver => "after-driver",
            Failpoint::AfterEnd => "after-end",
            Failpoint::BetweenSteps => "between-steps",
            Failpoint::BeforeUndo => "before-undo",
            Failpoint::AfterUndo => "after-undo",
            Failpoint::BeforeDone => "before-done",
        }
    }
}

/// Aborts the process if the environment names this point.
#[cfg(any(debug_assertions, feature = "failpoints"))]
pub(crate) fn pass(point: Failpoint) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static CHOSEN: OnceLock<Option<(String, usize)>> = OnceLock::new();
    static PASSES: AtomicUsize = AtomicUsize::new(0);

    let chosen = CHOSEN.get_or_init(|| {
        let value = std::env::var("HOSTLER_FAILPOINT").ok()?;
        let (name, pass) = value.split_once(':').unwrap_or((&value, "1"));
        Some((name.to_owned(), pass.parse().ok()?))
    });
    if let Some((name, pass)) = chosen
        && name == point.as_str()
        && PASSES.fetch_add(1, Ordering::Relaxed) + 1 == *pass
    {
        // No destructor and no exit handler runs, as in a kill.
        std::process::abort();
    }
}

/// Nothing, in a build without failpoints.
#[cfg(not(any(debug_assertions, feature = "failpoints")))]
pub(crate) fn pass(_: Failpoint) {}
