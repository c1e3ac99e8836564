//! Commands of `om` that run beside the watch.

use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::mpsc;

use super::news::WatchNews;
use crate::session::Session;

/// Runs a command, and tells all that it printed.
pub(super) fn show(session: &Session, words: Vec<String>, tell: mpsc::Sender<WatchNews>) {
    let command = om(session, &words);
    tokio::spawn(async move {
        let text = output(command).await;
        let text = if text.trim().is_empty() { "nothing".to_owned() } else { text };
        let _ = tell.send(WatchNews::Shown(format!("om {}\n\n{text}", words.join(" ")))).await;
    });
}

/// Runs a command, and tells the last line that it printed.
pub(super) fn act(session: &Session, words: Vec<String>, tell: mpsc::Sender<WatchNews>) {
    let command = om(session, &words);
    tokio::spawn(async move {
        let text = output(command).await;
        let last = text.lines().last().unwrap_or("done").to_owned();
        let _ = tell.send(WatchNews::Acted(last)).await;
    });
}

fn om(session: &Session, words: &[String]) -> Command {
    // What the kernel runs now, even if the file was replaced by an upgrade.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("om").args(session.global.root.iter().flat_map(|root| ["--root".as_ref(), root.as_os_str()]));
    command.args(session.global.server.iter().flat_map(|server| ["--server", server]));
    // Its output is a pipe, for which it would leave the colours out. The screen removes them where none are wanted.
    command.args(words).arg("--color").arg("yes");
    // Without a terminal to ask on, a command that has a question fails and says so. It would wait
    // for keys that the watch reads.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn output(mut command: Command) -> String {
    match command.output().await {
        Ok(output) => [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
        Err(error) => format!("cannot run om: {error}"),
    }
}
