//! `wit/console.wit`: the operator's terminal, connected to what a driver described.
//!
//! The description is checked like any call of the driver's. From then on bytes go between the terminal and the resource,
//! and none of them crosses the sandbox.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use driver::{Attachment, Terminal};
use grant::op::{FetchUnix, RunProgram};
use grant::{Access, SocketGuard};
use guard::{EngineLookup, ForwardedRequest, LookupResult, RequestedBy, TerminalStream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use kernel::terminal::{Input, Raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::argument::absolute;
use crate::demux::{Demux, Output};
use crate::dial::dial_unix;
use crate::engine::{self, Passed};
use crate::http::{Endpoint, LOCALHOST, Message, Request, message, method, plain_path};
use crate::process::{Command, prepare};
use crate::{Effect, Error, Scope};

/// How long the engine may take to answer the host's own questions once a console is open.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a command that has only just begun is asked to take the size of the terminal.
const SIZINGS: u32 = 10;

/// Connects the terminal, until either side ends it. Returns the exit status of what ran.
pub async fn connect(scope: &Scope, attachment: &Attachment, terminal: &Terminal) -> Result<i32, Error> {
    match attachment {
        Attachment::Process(argv) => run(scope, argv, terminal).await,
        Attachment::HttpUpgrade { socket, method: verb, path, body } => {
            let op =
                FetchUnix { socket: absolute(socket)?, method: method(verb)?.to_string(), path: plain_path(path)? };
            upgrade(scope, op, body.as_bytes(), terminal).await
        }
    }
}

/// A program of the node, in the terminal's foreground.
async fn run(scope: &Scope, argv: &[String], terminal: &Terminal) -> Result<i32, Error> {
    let [program, args @ ..] = argv else { return Err(Error::Invalid("there is no program to run".to_owned())) };
    let command = Command { program: program.clone(), args: args.to_vec(), ..Command::default() };
    let op = RunProgram { program: absolute(program)?, args: args.to_vec(), user: None };
    let stdio = [copy(&terminal.input)?, copy(&terminal.output)?, copy(&terminal.errors)?];
    let started = scope.change_async(op, |permit| async move {
        let mut launch = prepare(scope, &permit, permit.op().program.clone(), &command, false)?;
        launch.env.extend(std::env::var_os("TERM").map(|term| ("TERM".to_owned(), term)));
        Ok(Effect::Touched(kernel::process::foreground(launch, stdio).await?))
    });
    let started = started.await?;
    // Keys that interrupt are the program's to heed, and none of the agent's business meanwhile.
    let _heard = [SignalKind::interrupt(), SignalKind::quit()].map(signal);
    Ok(started.ended().await?)
}

fn copy(fd: &OwnedFd) -> Result<OwnedFd, Error> {
    fd.try_clone().map_err(|error| Error::io("cannot use the terminal", &error))
}

/// A connection to the resource.
enum Link {
    /// Bytes both ways.
    Both(Box<TokioIo<Upgraded>>),
    /// An answer that goes on.
    Answer(Incoming),
}

async fn upgrade(scope: &Scope, op: FetchUnix, body: &[u8], terminal: &Terminal) -> Result<i32, Error> {
    let forward = judged(scope, &op, body).await?;
    let stream = forward.stream.clone().unwrap_or(TerminalStream { framed: false, input: true, exec: None });
    let (socket, target) = (op.socket.clone(), forward.target.clone());
    let link = open(scope, op, forward, stream.input).await?;
    let side = Side { socket, target, stream };
    let raw = match side.stream.input && !side.stream.framed {
        true => Raw::make(&terminal.input)?,
        false => None,
    };
    let ended = side.bridge(link, terminal).await;
    drop(raw);
    ended?;
    side.exit_status().await
}

/// What the guard lets through of the request; all of it, where the grant has no guard.
async fn judged(scope: &Scope, op: &FetchUnix, body: &[u8]) -> Result<ForwardedRequest, Error> {
    let request = guard::EngineRequest {
        method: &op.method,
        target: &op.path,
        headers: &[],
        body,
        asked: RequestedBy::Attachment,
    };
    let Some(SocketGuard::Container) = scope.guard_of(op.clone()) else {
        return Ok(ForwardedRequest {
            target: op.path.clone(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_vec(),
            paths: Vec::new(),
            what: "connect a terminal".to_owned(),
            stream: None,
        });
    };
    match engine::pass_as(scope, op, &request, scope.remaining()).await? {
        Passed::Judged(forward) => Ok(forward),
        Passed::Answered(answer) => Err(Error::Other(said(&answer.body))),
    }
}

/// Sends the request, and takes over the connection if the engine agrees.
async fn open(scope: &Scope, op: FetchUnix, forward: ForwardedRequest, both: bool) -> Result<Link, Error> {
    let socket = op.socket.clone();
    let request = Request {
        method: op.method.clone(),
        endpoint: Endpoint::Unix(socket.display().to_string(), forward.target.clone()),
        headers: forward.headers,
        body: forward.body,
        timeout_ms: 0,
    };
    let mut message = message(method(&op.method)?, &forward.target, LOCALHOST.to_owned(), &request)?;
    if both {
        message.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        message.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
    }
    let opened = scope.change_judged(op, Some(forward.what), |permit| async move {
        let link = take_over(socket, message).await?;
        Ok(match permit.access() {
            Access::Read => Effect::Nothing(link),
            Access::Mutate => Effect::Touched(link),
        })
    });
    opened.await
}

async fn take_over(socket: PathBuf, message: Message) -> Result<Link, Error> {
    let failed = |error: hyper::Error| Error::Other(format!("the engine did not open a console: {error}"));
    let wire = dial_unix(&socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await.map_err(failed)?;
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(message).await.map_err(failed)?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
            Ok(Link::Both(Box::new(TokioIo::new(upgraded))))
        }
        status if status.is_success() => Ok(Link::Answer(response.into_body())),
        status => {
            let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
            Err(Error::Other(format!("{status}: {}", said(&body))))
        }
    }
}

/// The engine's own words.
fn said(body: &[u8]) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = document.as_ref().and_then(|document| document.get("message")?.as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}

/// The other side of the console.
struct Side {
    socket: PathBuf,
    target: String,
    stream: TerminalStream,
}

impl Side {
    async fn bridge(&self, link: Link, terminal: &Terminal) -> Result<(), Error> {
        let mut screen = Screen::new(terminal, self.stream.framed)?;
        match link {
            Link::Both(connection) => self.both_ways(*connection, terminal, &mut screen).await,
            Link::Answer(mut body) => {
                while let Some(frame) = body.frame().await {
                    let frame = frame.map_err(|error| Error::Other(format!("the output broke off: {error}")))?;
                    if let Some(bytes) = frame.data_ref() {
                        screen.show(bytes).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn both_ways(
        &self,
        connection: TokioIo<Upgraded>,
        terminal: &Terminal,
        screen: &mut Screen,
    ) -> Result<(), Error> {
        let (mut reader, mut writer) = tokio::io::split(connection);
        let mut input = Input::read(copy(&terminal.input)?)?;
        let mut resized =
            signal(SignalKind::window_change()).map_err(|error| Error::io("cannot watch the terminal", &error))?;
        let mut buffer = vec![0; 16 * 1024];
        let mut typing = true;
        let first = self.size(terminal, SIZINGS);
        tokio::pin!(first);
        let mut sized = false;
        loop {
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(count) => screen.show(&buffer[..count]).await?,
                },
                typed = input.next(), if typing => match typed {
                    // A command that has closed its input goes on without.
                    Some(bytes) => typing = writer.write_all(&bytes).await.is_ok(),
                    None => {
                        typing = false;
                        let _ = writer.shutdown().await;
                    }
                },
                () = &mut first, if !sized => sized = true,
                _ = resized.recv() => self.size(terminal, 1).await,
            }
        }
    }

    /// Tells the terminal inside how large the operator's is. One that cannot be told stays as it is.
    async fn size(&self, terminal: &Terminal, tries: u32) {
        let Some(exec) = self.stream.exec.as_ref().filter(|_| !self.stream.framed) else { return };
        let Some(size) = kernel::terminal::size(terminal.input.as_fd()) else { return };
        let path = EngineLookup::Exec(exec.clone()).path(&self.target);
        let path = format!("{}/resize?h={}&w={}", path.trim_end_matches("/json"), size.rows, size.columns);
        for attempt in 1..=tries {
            let told = engine::ask(&self.socket, Method::POST, &path, Instant::now() + PATIENCE).await;
            if told.is_ok_and(|response| response.status < 300) {
                return;
            }
            // It is prepared before it runs, and has no terminal until then.
            tokio::time::sleep(Duration::from_millis(10) * attempt).await;
        }
    }

    /// The exit status of the command that ran; 0 where there was none.
    async fn exit_status(&self) -> Result<i32, Error> {
        let Some(exec) = &self.stream.exec else { return Ok(0) };
        let lookup = EngineLookup::Exec(exec.clone());
        let found = engine::look_up(&self.socket, &lookup, &self.target, Instant::now() + PATIENCE).await?;
        match found {
            LookupResult::Exec { exit_code: Some(code), .. } => Ok(i32::try_from(code).unwrap_or(1)),
            _ => Err(Error::Other("the console ended before the command did".to_owned())),
        }
    }
}

/// Where the output goes.
struct Screen {
    demux: Option<Demux>,
    output: tokio::fs::File,
    errors: tokio::fs::File,
}

impl Screen {
    fn new(terminal: &Terminal, framed: bool) -> Result<Screen, Error> {
        let file = |fd: &OwnedFd| Ok::<_, Error>(tokio::fs::File::from_std(std::fs::File::from(copy(fd)?)));
        Ok(Screen {
            demux: framed.then(Demux::default),
            output: file(&terminal.output)?,
            errors: file(&terminal.errors)?,
        })
    }

    async fn show(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let pieces = match &mut self.demux {
            Some(demux) => demux.push(bytes),
            None => vec![(Output::Stdout, bytes)],
        };
        for (to, piece) in pieces {
            let file = match to {
                Output::Stdout => &mut self.output,
                Output::Stderr => &mut self.errors,
            };
            let shown = async {
                file.write_all(piece).await?;
                file.flush().await
            };
            shown.await.map_err(|error| Error::io("cannot write to the terminal", &error))?;
        }
        Ok(())
    }
}
