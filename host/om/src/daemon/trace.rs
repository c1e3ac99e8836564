//! `om daemon trace`: follows what the daemon decides and does, across its restarts.

use std::process::ExitCode;
use std::time::Duration;

use client::{ClientError, DaemonClient, TraceStream, TraceWish};
use protocol::FailureKind;
use protocol::daemon::TraceEntry;
use serde_json::json;

use crate::backend::block_on;
use crate::command::{OutputFormat, TraceArgs};
use crate::exit::{Failure, Outcome};
use crate::render::structured::{escaped, structured};
use crate::render::trace::line;
use crate::session::Session;
use crate::terminal::{is_closed, print};

/// A daemon that is gone is looked for again this often, for so long.
const RETRY: Duration = Duration::from_millis(200);
const RETRIES: u32 = 150;

pub(super) fn run(session: &Session, args: &TraceArgs) -> Outcome {
    let client = session.daemon().client;
    block_on(async {
        let following = follow(&client, args);
        match args.time {
            // To follow for so long is what was asked for.
            Some(limit) => tokio::time::timeout(limit, following).await.unwrap_or(Ok(())),
            None => following.await,
        }
    })??;
    Ok(ExitCode::SUCCESS)
}

async fn follow(client: &DaemonClient, args: &TraceArgs) -> Result<(), Failure> {
    let wish = TraceWish { kinds: args.kind.clone(), objects: args.object.clone() };
    let mut stream = match client.trace(&wish).await {
        Err(error) if error.kind() == FailureKind::NoMatch => {
            let text = "this daemon is older than om, and cannot be traced: upgrade it, then om daemon restart";
            return Err(Failure::message(FailureKind::NotSupported, text));
        }
        opened => opened?,
    };
    let mut shown = 0;
    loop {
        match stream.next().await {
            Ok(Some(entry)) => {
                show(&entry, shown, args.output.format);
                shown += 1;
                if args.limit.is_some_and(|limit| shown >= limit) || is_closed() {
                    return Ok(());
                }
            }
            // The daemon has ended. A restart takes a moment, and what the next one does is wanted too.
            Ok(None) | Err(ClientError::HungUp(_)) => stream = again(client, &wish).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Connects to the next daemon.
async fn again(client: &DaemonClient, wish: &TraceWish) -> Result<TraceStream, Failure> {
    for _ in 0..RETRIES {
        match client.trace(wish).await {
            Err(error) if error.is_absence() => tokio::time::sleep(RETRY).await,
            other => return Ok(other?),
        }
    }
    Err(Failure::failed("the daemon has stopped, and no other one was started: om daemon start"))
}

fn show(entry: &TraceEntry, number: u64, format: OutputFormat) {
    let value = || serde_json::to_value(entry).unwrap_or_default();
    match format {
        OutputFormat::Human | OutputFormat::Dot => print(&line(entry)),
        // One line each, so that a reader need not find their ends.
        OutputFormat::Json => print(&format!("{}\n", escaped(value().to_string()))),
        other => structured(other, &json!({(number.to_string()): value()})).iter().for_each(|text| print(text)),
    }
}
