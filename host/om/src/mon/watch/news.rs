//! What the daemon knows, whenever it has changed.

use std::time::Duration;

use client::{ClientError, DaemonClient, EventStream, EventWish};
use protocol::daemon::{DaemonUse, StatusDocument};
use tokio::sync::mpsc;

/// News of the daemon.
#[derive(Debug)]
pub(super) enum WatchNews {
    Status(Box<StatusDocument>, Option<DaemonUse>),
    /// It cannot be asked, and why.
    Absent(String),
    /// What a command has printed.
    Shown(String),
    /// How an action has ended.
    Acted(String),
}

/// Changes that come together are drawn together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Load and memory change without an event.
const REFRESH: Duration = Duration::from_secs(10);

/// A daemon that is gone is looked for again this often.
const RETRY: Duration = Duration::from_millis(500);

/// Tells what the daemon knows, now and whenever it has changed, until nobody listens.
pub(super) async fn follow(client: DaemonClient, stats: bool, tell: mpsc::Sender<WatchNews>) {
    while !tell.is_closed() {
        let reason = match follow_one(&client, stats, &tell).await {
            Ok(()) => "the daemon has stopped".to_owned(),
            Err(error) => error.to_string(),
        };
        let _ = tell.send(WatchNews::Absent(reason)).await;
        tokio::time::sleep(RETRY).await;
    }
}

/// The same of this daemon, to its end.
async fn follow_one(client: &DaemonClient, stats: bool, tell: &mpsc::Sender<WatchNews>) -> Result<(), ClientError> {
    // Opened before the status is asked for: what changes behind the answer is in the stream,
    // and nothing is missed in between.
    let mut stream = client.events(&EventWish::default()).await?;
    loop {
        let usage = if stats { Some(client.usage().await?) } else { None };
        let status = Box::new(client.status().await?);
        if tell.send(WatchNews::Status(status, usage)).await.is_err() || !changed(&mut stream).await? {
            return Ok(());
        }
    }
}

/// Waits for a change, and for those that come with it. False at the daemon's end.
async fn changed(stream: &mut EventStream) -> Result<bool, ClientError> {
    match tokio::time::timeout(REFRESH, stream.next()).await {
        Err(_) => return Ok(true),
        Ok(Err(error)) => return Err(error),
        Ok(Ok(None)) => return Ok(false),
        Ok(Ok(Some(_))) => {}
    }
    // A future that is given up here loses no event: the stream keeps what it has read of one.
    let together = async {
        while stream.next().await?.is_some() {}
        Ok(false)
    };
    tokio::time::timeout(TOGETHER, together).await.unwrap_or(Ok(true))
}
