//! The program, as other tests start it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The running program, with its own directory.
pub(crate) struct Emulator {
    child: Child,
    directory: tempfile::TempDir,
    pub(crate) api: String,
    said: Value,
}

impl Emulator {
    /// Starts it. `{devices}` in an argument is a directory for devices.
    pub(crate) fn start(arguments: &[&str]) -> Emulator {
        Emulator::start_on(tempfile::tempdir().unwrap(), arguments)
    }

    pub(crate) fn start_on(directory: tempfile::TempDir, arguments: &[&str]) -> Emulator {
        let devices = directory.path().join("dev").display().to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gce-emulator"))
            .args(arguments.iter().map(|argument| argument.replace("{devices}", &devices)))
            .arg("--directory")
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Emulator { child, directory, api: said["api"].as_str().unwrap().to_owned(), said }
    }

    /// The address of the metadata server for an instance.
    pub(crate) fn metadata(&self, instance: &str) -> String {
        self.said["metadata"][instance].as_str().unwrap().to_owned()
    }

    /// The directory in which devices appear.
    #[allow(dead_code, reason = "each target of the tests uses its part")]
    pub(crate) fn devices(&self) -> String {
        self.directory.path().join("dev").display().to_string()
    }

    /// The response to a GET of a path on the API's port.
    #[allow(dead_code, reason = "each target of the tests uses its part")]
    pub(crate) fn get(&self, path: &str) -> String {
        self.send("GET", path, "")
    }

    /// The response to a body that is sent there.
    #[allow(dead_code, reason = "each target of the tests uses its part")]
    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        self.send("POST", path, body)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.api.trim_start_matches("http://").trim_end_matches("/compute/v1");
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}")
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Stops it, and returns its directory for the next one.
    #[allow(dead_code, reason = "each target of the tests uses its part")]
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        self.end();
        std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap())
    }

    fn end(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
#[allow(dead_code, reason = "each target of the tests uses its part")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}
