//! The process of the keeper: adopted if it is of this program, replaced if it is of another one, started anew when it has ended.
//!
//! A task beside the owner, which hears of each of these. It ends with the owner; the keeper does not.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use keeper::process::{self, KeeperProcess};
use kernel::watch::ProcessWatch;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use crate::owner::Message;

/// How long a keeper may take until it guards, or until it has handed over.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks whether it does.
const LOOK: Duration = Duration::from_millis(5);
/// One that ends sooner than that is not started again at once.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// What became of the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeeperNews {
    /// It guards.
    Guards { pid: u32, adopted: bool },
    /// It has ended, or cannot be started, for this reason.
    Ended(String),
}

/// Keeps a keeper running, for as long as the owner is there.
pub(crate) async fn keep_running(program: PathBuf, directory: PathBuf, mail: UnboundedSender<Message>) {
    let say = |news| mail.send(Message::Keeper(news)).is_ok();
    loop {
        let began = Instant::now();
        let end = match settle(&program, &directory, &say).await {
            Ok(end) => end,
            Err(error) => error.to_string(),
        };
        if !say(KeeperNews::Ended(end)) {
            return;
        }
        if began.elapsed() < SHORT_LIFE {
            sleep(SHORT_LIFE).await;
        }
    }
}

/// Finds or starts a keeper, and waits for its end. Returns how it ended.
async fn settle(program: &Path, directory: &Path, say: &impl Fn(KeeperNews) -> bool) -> std::io::Result<String> {
    if let Some(found) = KeeperProcess::find(directory)? {
        let report = process::report(directory);
        if report.is_some_and(|report| report.pid == found.pid && report.build == process::build()) {
            say(KeeperNews::Guards { pid: found.pid, adopted: true });
            ProcessWatch::new(found.into_handle())?.ended().await?;
            return Ok("the keeper has ended".to_owned());
        }
        // Of another program, or one that has not come far enough to say of which.
        found.ask_to_hand_over()?;
        let gone = ProcessWatch::new(found.into_handle())?;
        let _ = tokio::time::timeout(PATIENCE, gone.ended()).await;
    }
    let mut child = tokio::process::Command::from(process::command(program, directory)?).spawn()?;
    let pid = child.id().unwrap_or_default();
    let guards = async {
        while process::report(directory).is_none_or(|report| report.pid != pid) {
            sleep(LOOK).await;
        }
    };
    tokio::select! {
        () = guards => {
            say(KeeperNews::Guards { pid, adopted: false });
        }
        ended = child.wait() => return Ok(end_of(ended?, directory)),
    }
    Ok(end_of(child.wait().await?, directory))
}

/// `the keeper has ended (exit code 5): a keeper runs already: process 17`.
fn end_of(status: ExitStatus, directory: &Path) -> String {
    let said = std::fs::read_to_string(directory.join("said")).unwrap_or_default();
    let said = if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) };
    format!("the keeper has ended ({status}){said}")
}
