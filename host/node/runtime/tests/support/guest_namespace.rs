//! A network namespace to reach into, like that of a container.

#![allow(dead_code, reason = "each target of the tests uses its part")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

type Work = Box<dyn FnOnce() + Send>;

/// A network namespace that lives as long as the thread in it.
pub(crate) struct GuestNamespace {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    path: String,
}

impl GuestNamespace {
    pub(crate) fn new() -> GuestNamespace {
        let (work, queue) = channel::<Work>();
        let (sender, thread_id) = channel();
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            ip("link set lo up");
            sender.send(nix::unistd::gettid()).unwrap();
            queue.into_iter().for_each(|work| work());
        });
        let path = format!("/proc/{}/ns/net", thread_id.recv().unwrap());
        GuestNamespace { work: Some(work), thread: Some(thread), path }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Does something in the namespace, and waits for it.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel();
        self.work.as_ref().unwrap().send(Box::new(move || done.send(work()).unwrap())).unwrap();
        result.recv().unwrap()
    }

    /// Says something to a server in the namespace, from the namespace of this thread, and expects it back.
    pub(crate) fn talk(&self, address: &str) {
        let server = format!("{address}:7777");
        let own = server.clone();
        let listener = self.run(move || TcpListener::bind(own).unwrap());
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = [0; 5];
            stream.read_exact(&mut heard).unwrap();
            stream.write_all(&heard).unwrap();
        });
        let mut stream = TcpStream::connect_timeout(&server.parse().unwrap(), Duration::from_secs(20)).unwrap();
        stream.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        answering.join().unwrap();
    }
}

impl Drop for GuestNamespace {
    fn drop(&mut self) {
        self.work.take();
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking(), "the thread in the namespace has failed");
    }
}

/// Runs ip(8) in the namespace of this thread.
#[track_caller]
pub(crate) fn ip(line: &str) -> String {
    let output = Command::new("/usr/sbin/ip").args(line.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
pub(crate) fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}
