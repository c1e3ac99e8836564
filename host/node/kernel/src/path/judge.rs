//! The judge of links: who follows one is asked before anything is done with the place to which it leads.
//!
//! A grant is about a path as it is written, and a link makes another path of it. Only links of root and of the agent are followed,
//! so none of them is an attack by itself; but whether the place is allowed is not for the link to say. The judge belongs to the
//! thread while it does one piece of work, so that no function that resolves a path can forget it.
#![expect(
    unsafe_code,
    reason = "a borrow that lasts for the work cannot be written as a type of a thread's own variable"
)]

use std::cell::Cell;
use std::path::Path;

use crate::KernelError;

/// Accepts the real path, or says why nothing may be done with it.
pub type LinkJudge<'a> = dyn Fn(&Path) -> Result<(), KernelError> + 'a;

thread_local! {
    static JUDGE: Cell<Option<&'static LinkJudge<'static>>> = const { Cell::new(None) };
}

/// Does the work. Every path in it that leads through a link is shown to the judge first.
pub fn judging_links<T>(judge: &LinkJudge<'_>, work: impl FnOnce() -> T) -> T {
    /// Puts the judge before back, also when the work panics.
    struct Restore(Option<&'static LinkJudge<'static>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            JUDGE.set(self.0);
        }
    }
    // SAFETY: only the lifetime changes. The reference leaves this thread's variable before this function returns or unwinds,
    // and `judge` borrows for longer than that. `judge_link` takes it out for the time of one call only.
    let judge = unsafe { std::mem::transmute::<&LinkJudge<'_>, &'static LinkJudge<'static>>(judge) };
    let _restore = Restore(JUDGE.replace(Some(judge)));
    work()
}

/// Shows the real path to the judge of this thread, if it has one.
pub(super) fn judge_link(real: &Path) -> Result<(), KernelError> {
    // Taken out for as long: to judge, it follows paths itself.
    let Some(judge) = JUDGE.take() else { return Ok(()) };
    let judged = judge(real);
    JUDGE.set(Some(judge));
    judged
}
