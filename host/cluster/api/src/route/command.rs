//! Commands of `om` that a user of one node wants done on others: forwarded over the link, and run there by the program itself.
//!
//! The program judges which commands may come this way: it alone knows what its words mean.

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daemon::TaskProgram;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::StatusCode;
use hyper::body::{Frame, Incoming};
use model::NodeName;
use protocol::daemon::{CommandOutput, CommandRequest};
use protocol::{FailureKind, RequestFailure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::request::invalid;
use crate::reply::{self, Reply, ReplyBody};
use crate::route::ApiRequest;

/// Another node has so long to begin to answer.
const BEGIN: Duration = Duration::from_secs(5);

/// The most that is sent at once of a line.
const PIECE: u64 = 16 << 10;

/// So many pieces may wait for the client.
const WAITING: usize = 64;

/// Where other daemons are asked for it.
const AT_PEER: &str = "/peer/command";

/// Runs a command on the node that the address names, for the user who asks.
pub(super) async fn on_node(request: &ApiRequest) -> Reply {
    let text = request.values.first().map_or("", String::as_str);
    let node: NodeName = text.parse().map_err(|error| invalid(format!("{text:?} is not a node: {error}")))?;
    let CommandRequest { words, .. } = request.document()?;
    let user = request.caller.user.clone();
    if node == *request.daemon.node() {
        return Ok(run(program(request)?, &words));
    }
    let alone =
        || failed(FailureKind::NoMatch, format!("{node} is not a node that this one knows: it is in no cluster"));
    let peers = request.daemon.peers().ok_or_else(alone)?;
    // The other node looks the user up itself (`for_peer`): nothing that this one says gives rights there.
    let wanted = CommandRequest { user: Some(user), words };
    let begun = peers.links().begin(&node, AT_PEER, &wanted, BEGIN).await;
    let body = begun.map_err(|error| failed(FailureKind::Failed, explained(&error)))?;
    Ok(reply::with(StatusCode::OK, "application/x-ndjson", passed_on(body)))
}

/// Runs a command for a user of another node, whom that node names.
pub(super) async fn for_peer(request: &ApiRequest) -> Reply {
    let CommandRequest { user, words } = request.document()?;
    let user = user.ok_or_else(|| invalid("the user is not named on whose behalf it shall be done"))?;
    let (access, named) = (Arc::clone(&request.access), user.clone());
    // Users are read from files.
    let known = tokio::task::spawn_blocking(move || access.grants(&named)).await;
    let grants = known.map_err(|_| failed(FailureKind::Failed, "the user could not be looked up".to_owned()))?;
    if !grants.map_err(|refusal| refusal.failure)?.is_root() {
        return Err(failed(FailureKind::Denied, format!("user {user} may not do this here: it needs the role root")));
    }
    Ok(run(program(request)?, &words))
}

fn program(request: &ApiRequest) -> Result<&TaskProgram, RequestFailure> {
    let missing = || failed(FailureKind::NotSupported, "this daemon runs no commands".to_owned());
    request.program.as_deref().ok_or_else(missing)
}

/// Runs it. When the client is gone, the command is interrupted, as by Ctrl-C: what it began is undone.
fn run(program: &TaskProgram, words: &[String]) -> hyper::Response<ReplyBody> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let mut command = Command::new(&program.program);
    // Under another name, `om` takes it for that of an object.
    command.arg0("om").arg("forwarded").args(&program.arguments).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A signal to the daemon's group is not for it.
    command.process_group(0);
    tokio::spawn(async move {
        let end = match command.spawn() {
            Ok(child) => follow(child, &sender).await,
            Err(error) => {
                let _ = sender.send(CommandOutput::Error(format!("cannot run om: {error}\n"))).await;
                1
            }
        };
        let _ = sender.send(CommandOutput::End(end)).await;
    });
    let lines = stream::unfold(receiver, |mut receiver| async move {
        let output = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(line(&output))), receiver))
    });
    reply::with(StatusCode::OK, "application/x-ndjson", StreamBody::new(lines).boxed_unsync())
}

fn line(output: &CommandOutput) -> Bytes {
    // Text cannot fail to become JSON.
    let mut bytes = serde_json::to_vec(output).unwrap_or_default();
    bytes.push(b'\n');
    bytes.into()
}

/// Reads what a command prints, to its end.
async fn follow(mut child: Child, sender: &mpsc::Sender<CommandOutput>) -> u8 {
    let out = pass(child.stdout.take(), sender, CommandOutput::Output);
    let errors = pass(child.stderr.take(), sender, CommandOutput::Error);
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let both = async { tokio::join!(out, errors) };
    tokio::pin!(both);
    tokio::select! {
        _ = &mut both => {}
        () = sender.closed() => {
            // The child was not waited for yet, so the number is still its own.
            let _ = pid.map(|pid| kill_process(pid, Signal::INT));
            both.await;
        }
    }
    let code = child.wait().await.ok().and_then(|status| status.code());
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

async fn pass<R: AsyncRead + Unpin>(
    stream: Option<R>,
    sender: &mpsc::Sender<CommandOutput>,
    what: fn(String) -> CommandOutput,
) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut piece = Vec::new();
    while let Ok(1..) = (&mut reader).take(PIECE).read_until(b'\n', &mut piece).await {
        // A client that is gone must not stop the command before it was interrupted.
        let _ = sender.send(what(String::from_utf8_lossy(&piece).into_owned())).await;
        piece.clear();
    }
}

/// What the other daemon sends, as it comes. The client notices when it ends without an exit code.
fn passed_on(body: Incoming) -> ReplyBody {
    let frames = stream::unfold(body, |mut body| async move {
        let frame = body.frame().await?.ok()?;
        Some((Ok::<_, Infallible>(frame), body))
    });
    StreamBody::new(frames).boxed_unsync()
}

fn failed(kind: FailureKind, message: String) -> RequestFailure {
    RequestFailure { kind, message }
}

fn explained(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", explained(source))).unwrap_or_default();
    format!("{error}{source}")
}
