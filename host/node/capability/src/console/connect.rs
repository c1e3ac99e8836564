//! Opens a console: a program of the node in the foreground, or a connection to an engine that is taken over.

use std::os::fd::OwnedFd;

use driver::{ConsoleAttachment, OperatorTerminal};
use grant::SocketGuard;
use grant::op::{FetchUnix, RunProgram};
use guard::{ForwardedRequest, RequestedBy, TerminalStream};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper_util::rt::TokioIo;
use kernel::terminal::RawTerminal;
use tokio::signal::unix::{SignalKind, signal};

use super::session::{ConsoleEnd, ConsoleLink, ConsoleSession};
use super::stage::ProgramStage;
use crate::argument::absolute;
use crate::http::{
    ByteStream, GuardOutcome, HttpEndpoint, HttpRequest, HyperRequest, LOCALHOST, dial_granted, message, method,
    pass_as, plain_path,
};
use crate::process::{ProcessCommand, prepare};
use crate::{CallContext, CapabilityError, Effect};

/// Connects the terminal until either side closes the console. Returns the exit status of the command.
pub async fn connect(
    context: &CallContext,
    attachment: &ConsoleAttachment,
    terminal: &OperatorTerminal,
) -> Result<i32, CapabilityError> {
    match attachment {
        ConsoleAttachment::Process(argv) => run(context, argv, terminal).await,
        ConsoleAttachment::HttpUpgrade { socket, method: verb, path, body } => {
            let op =
                FetchUnix { socket: absolute(socket)?, method: method(verb)?.to_string(), path: plain_path(path)? };
            upgrade(context, op, body.as_bytes(), terminal).await
        }
    }
}

/// Runs a program of the node on a terminal of its own, which is shown on the operator's.
async fn run(context: &CallContext, argv: &[String], terminal: &OperatorTerminal) -> Result<i32, CapabilityError> {
    let [program, args @ ..] = argv else {
        return Err(CapabilityError::Invalid("there is no program to run".to_owned()));
    };
    let command = ProcessCommand { program: program.clone(), args: args.to_vec(), ..ProcessCommand::default() };
    let op = RunProgram { program: absolute(program)?, args: args.to_vec(), ..RunProgram::default() };
    let (stage, stdio) = ProgramStage::of(terminal)?;
    let stream = stage.as_ref().map(|stage| stage.stream);
    let at_place = |op: &RunProgram, program| RunProgram { program, ..op.clone() };
    let started = context.admit(op)?.waiting(|permit| async move {
        let mut launch = prepare(context, &permit, at_place, &command, false)?;
        // The one variable of the operator's that a program in the terminal needs.
        launch.env.extend(std::env::var_os("TERM").map(|term| ("TERM".to_owned(), term)));
        Ok(Effect::Touched(kernel::process::foreground(launch, stdio, stream).await?))
    });
    let mut started = started.await?;
    match stage {
        Some(stage) => stage.play(&mut started, terminal).await,
        None => {
            // The program has a session of its own, so that the key at the operator's terminal interrupts this process
            // alone: it is passed on.
            let mut interrupted = signal(SignalKind::interrupt()).ok();
            loop {
                tokio::select! {
                    status = started.exited() => return Ok(status?),
                    () = async { match &mut interrupted {
                        Some(interrupted) => drop(interrupted.recv().await),
                        None => std::future::pending().await,
                    } } => started.interrupt(),
                }
            }
        }
    }
}

pub(super) fn copy(fd: &OwnedFd) -> Result<OwnedFd, CapabilityError> {
    fd.try_clone().map_err(|error| CapabilityError::io("cannot use the terminal", &error))
}

/// Opens a console of an engine, and passes bytes until it closes.
async fn upgrade(
    context: &CallContext,
    op: FetchUnix,
    body: &[u8],
    terminal: &OperatorTerminal,
) -> Result<i32, CapabilityError> {
    let forward = judged(context, &op, body).await?;
    let stream = forward.stream.clone().unwrap_or(TerminalStream { framed: false, input: true, exec: None });
    let (socket, target) = (op.socket.clone(), forward.target.clone());
    let link = open(context, op, forward, stream.input).await?;
    let side = ConsoleSession { socket, target, stream };
    // Framed output means that the command has no terminal of its own, so ours stays in line mode.
    let raw = match side.stream.input && !side.stream.framed {
        true => RawTerminal::make(&terminal.input)?,
        false => None,
    };
    let closed = side.bridge(link, terminal).await;
    // The terminal is itself again before an error is printed to it.
    drop(raw);
    match closed? {
        ConsoleEnd::Closed => side.exit_status().await,
        // As a program exits that writes to such a pipe: nobody waits for more.
        ConsoleEnd::ReaderGone => Ok(SIGPIPE),
    }
}

/// 128 and the number of the signal, as in a shell.
const SIGPIPE: i32 = 128 + 13;

/// The request as the guard lets it through. Without a guard in the grant, the request as it is.
async fn judged(context: &CallContext, op: &FetchUnix, body: &[u8]) -> Result<ForwardedRequest, CapabilityError> {
    let request = guard::EngineRequest {
        method: &op.method,
        target: &op.path,
        headers: &[],
        body,
        asked: RequestedBy::Attachment,
    };
    let Some(SocketGuard::Container) = context.guard_of(op.clone()) else {
        return Ok(ForwardedRequest {
            target: op.path.clone(),
            // The contract has no headers in an attachment; the body of a driver's description is always JSON.
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_vec(),
            paths: Vec::new(),
            beside: Vec::new(),
            sources: Vec::new(),
            describes: None,
            effect: None,
            image: None,
            what: "connect a terminal".to_owned(),
            stream: None,
        });
    };
    match pass_as(context, op, &request, context.remaining()).await? {
        GuardOutcome::Judged(forward, _) => Ok(*forward),
        GuardOutcome::Answered(answer) => Err(CapabilityError::Other(said(&answer.body))),
    }
}

/// Sends the request, and takes over the connection if the engine agrees to that.
async fn open(
    context: &CallContext,
    op: FetchUnix,
    forward: ForwardedRequest,
    both: bool,
) -> Result<ConsoleLink, CapabilityError> {
    let socket = op.socket.clone();
    let request = HttpRequest {
        method: op.method.clone(),
        endpoint: HttpEndpoint::Unix(socket.display().to_string(), forward.target.clone()),
        headers: forward.headers,
        body: forward.body,
        timeout_ms: 0,
    };
    let mut message = message(method(&op.method)?, &forward.target, LOCALHOST.to_owned(), &request)?;
    // Without these headers an engine sends output only, and takes no input.
    if both {
        message.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        message.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
    }
    let opened = context.admit(op)?.judged(Some(forward.what)).waiting(|permit| async move {
        let wire = dial_granted(context, permit.op()).await?;
        Ok(Effect::by(permit.access(), take_over(wire, message).await?))
    });
    opened.await
}

async fn take_over(wire: Box<dyn ByteStream>, message: HyperRequest) -> Result<ConsoleLink, CapabilityError> {
    let failed = |error: hyper::Error| CapabilityError::Other(format!("the engine did not open a console: {error}"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await.map_err(failed)?;
    // The connection must be polled for the request to go out. With upgrades, it gives up the socket afterwards.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(message).await.map_err(failed)?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
            Ok(ConsoleLink::Both(Box::new(TokioIo::new(upgraded))))
        }
        status if status.is_success() => Ok(ConsoleLink::Answer(response.into_body())),
        status => {
            let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
            Err(CapabilityError::Other(format!("{status}: {}", said(&body))))
        }
    }
}

/// The message in an engine's answer, or the whole answer.
fn said(body: &[u8]) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = document.as_ref().and_then(|document| document.get("message")?.as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}
