//! The demo's application and its client: a web server for the files of one directory, and a request for its page. They are
//! here so that the demo needs no other program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::print;

const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until the process is stopped.
pub(super) fn serve(address: &str, directory: &Path) -> Result<ExitCode> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    for stream in listener.incoming() {
        // A client that disconnects must not stop the server.
        let _ = stream.and_then(|stream| answer(stream, directory));
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(mut stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = String::new();
    BufReader::new(stream.try_clone()?.take(4096)).read_line(&mut request)?;
    let name = request.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    // Only a plain name is accepted, so that nothing outside of the directory is served.
    let page = (!name.contains('/') && !name.starts_with('.')).then(|| std::fs::read(directory.join(name)));
    let (status, body) = match page {
        Some(Ok(page)) => ("200 OK", page),
        _ => ("404 Not Found", b"there is no such page\n".to_vec()),
    };
    write!(stream, "HTTP/1.0 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// Prints the page that is served at an address.
pub(super) fn fetch(address: &str) -> Result<ExitCode> {
    let mut stream = connect(address).with_context(|| format!("nothing answers on {address}"))?;
    let mut response = String::new();
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set a timeout")?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").context("cannot send the request")?;
    // With HTTP/1.0 the end of the connection is the end of the body, so no length has to be read.
    stream.read_to_string(&mut response).context("cannot read the answer")?;
    let (head, body) = response.split_once("\r\n\r\n").context("the answer is not that of a web server")?;
    print(body);
    match head.split(' ').nth(1) {
        Some("200") => Ok(ExitCode::SUCCESS),
        _ => Err(anyhow!("{}", head.lines().next().unwrap_or_default())),
    }
}

/// A server that was started this very moment may not listen yet.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    let until = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(address) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused && Instant::now() < until => {
                sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}
