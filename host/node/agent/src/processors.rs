//! Asynchronous work on all processors, for commands whose own runtime has one thread.
//!
//! Each processor gets a thread with a runtime of its own. So work that never waits is done without one hand-over between
//! threads, which costs more than most calls of drivers.

use std::io;
use std::thread::{self, ScopedJoinHandle};

/// Does the work once for each processor, at the same time. The pieces share what is to be done among themselves: where a
/// thread cannot be started, the others do its part. An error if there is none.
pub fn on_all_processors<T, F>(work: impl Fn() -> F + Sync) -> io::Result<Vec<T>>
where
    T: Send,
    F: Future<Output = T>,
{
    let count = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, || on_this_thread(work()));
        let threads: Vec<io::Result<ScopedJoinHandle<'_, io::Result<T>>>> = (0..count).map(start).collect();
        let (mut done, mut failed) = (Vec::with_capacity(count), None);
        for thread in threads {
            // A panic of a thread goes on here, as it would if the command had done the work itself.
            let joined =
                thread.and_then(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            match joined {
                Ok(result) => done.push(result),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if done.is_empty() => Err(error),
            _ => Ok(done),
        }
    })
}

fn on_this_thread<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build()?;
    let done = runtime.block_on(work);
    // A kernel call that does not return must not keep the command from exiting.
    runtime.shutdown_background();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::on_all_processors;

    #[test]
    fn the_pieces_share_the_work() {
        let left = Mutex::new((1..=100).collect::<Vec<u32>>());
        let work = || async {
            let mut sum = 0;
            loop {
                let next = left.lock().unwrap().pop();
                let Some(number) = next else { return sum };
                sum += number;
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(on_all_processors(work).unwrap().into_iter().sum::<u32>(), 5050);
    }
}
