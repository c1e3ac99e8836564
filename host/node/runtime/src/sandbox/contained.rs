//! Work that costs no more than its own resource, whatever it does: a panic in it is an error, and the time that it keeps a thread of
//! the host busy is limited.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::{Duration, Instant};

/// What ended contained work before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Containment {
    /// It panicked with this message.
    Panic(String),
    /// It kept a thread busy for longer than it may.
    Busy,
}

/// Runs work that may panic.
pub(crate) async fn contained<T>(work: impl Future<Output = T>) -> Result<T, String> {
    match within(Duration::MAX, || Duration::ZERO, work).await {
        Ok(done) => Ok(done),
        Err(Containment::Panic(message)) => Err(message),
        Err(Containment::Busy) => Err("it took too long".to_owned()),
    }
}

/// The same for so much time on a thread, waiting not counted, with the time that it kept other threads busy. The guest's time and the host's count alike: a guest yields every few
/// milliseconds, and a call of the host that is made a thousand times is as bad as a loop.
pub(crate) async fn within<T>(
    budget: Duration,
    aside: impl Fn() -> Duration,
    work: impl Future<Output = T>,
) -> Result<T, Containment> {
    tokio::pin!(work);
    let mut spent = Duration::ZERO;
    std::future::poll_fn(|context| {
        let began = Instant::now();
        // What the work leaves behind is dropped with it, and locks that it held are taken as they are.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Err(panic) => return Poll::Ready(Err(Containment::Panic(message(&*panic)))),
            Ok(Poll::Ready(done)) => return Poll::Ready(Ok(done)),
            Ok(Poll::Pending) => {}
        }
        // After the poll: work that was done in it counts, however long it took.
        spent = spent.saturating_add(began.elapsed());
        if spent.saturating_add(aside()) > budget { Poll::Ready(Err(Containment::Busy)) } else { Poll::Pending }
    })
    .await
}

/// The words of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason was given".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_words() {
        let panics = |text: &'static str| async move {
            tokio::task::yield_now().await;
            std::panic::resume_unwind(Box::new(text))
        };
        let found: Result<(), String> = contained(panics("over")).await;
        assert_eq!(found, Err("over".to_owned()));
        let found: Result<(), String> = contained(async { std::panic::resume_unwind(Box::new(7)) }).await;
        assert_eq!(found, Err("no reason was given".to_owned()));
        assert_eq!(contained(async { 3 }).await, Ok(3));
    }

    #[tokio::test]
    async fn time_on_the_thread_counts_and_waiting_does_not() {
        let busy = async {
            loop {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(2) {
                    std::hint::spin_loop();
                }
                tokio::task::yield_now().await;
            }
        };
        let found: Result<(), Containment> = within(Duration::from_millis(20), || Duration::ZERO, busy).await;
        assert_eq!(found, Err(Containment::Busy));
        let waiting = tokio::time::sleep(Duration::from_millis(60));
        assert_eq!(within(Duration::from_millis(20), || Duration::ZERO, waiting).await, Ok(()));
        let calls = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        let found = within(Duration::from_millis(20), || Duration::from_millis(21), calls).await;
        assert_eq!(found, Err(Containment::Busy), "what it does on other threads counts");
    }
}
