//! Lines as a journal and as a syslog receive them, and sinks that do not answer.

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Document, NodeData};
use driver::{LogSeverity, LogSink};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::{LogSinks, remote};
use crate::log::{ActionLog, LogFile, LogLimits, last_lines};

const PATIENCE: Duration = Duration::from_secs(20);

/// The log of an action on `web`, with the sinks that these keywords name.
fn log(directory: &Path, keywords: &str) -> ActionLog {
    let node = NodeData::new("n1".parse().unwrap(), &Document::parse(format!("[node]\n{keywords}\n")));
    let file = LogFile::new(directory.join("web.log"), LogLimits::default());
    ActionLog::new("web".parse().unwrap(), file, None, Arc::default()).with_sinks(LogSinks::of(&node))
}

fn listen(directory: &Path) -> (UnixDatagram, String) {
    let path = directory.join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    (socket, path.display().to_string())
}

fn received(socket: &UnixDatagram) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 16];
    let length = socket.recv(&mut buffer).expect("a message comes");
    buffer.truncate(length);
    buffer
}

fn warn(log: &ActionLog, text: &str) {
    log.line(Some(&"fs#1".parse().unwrap()), LogSeverity::Warn, text);
}

#[test]
fn the_journal_gets_fields() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, path) = listen(directory.path());
    let log = log(directory.path(), &format!("journald = {path}"));
    warn(&log, "login password=hunter2 failed");
    let entry = String::from_utf8(received(&socket)).unwrap();
    let expected = "MESSAGE=login password=*** failed\nPRIORITY=4\nSYSLOG_IDENTIFIER=hostler\nNODE=n1\nOBJECT_PATH=web\nRID=fs#1\n";
    assert_eq!(entry, expected);
    warn(&log, "two\nlines");
    let mut expected = b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n".to_vec();
    expected.extend(b"PRIORITY=4\nSYSLOG_IDENTIFIER=hostler\nNODE=n1\nOBJECT_PATH=web\nRID=fs#1\n");
    assert_eq!(received(&socket), expected);
}

#[test]
fn an_entry_that_is_too_large_for_a_datagram_comes_as_a_sealed_file() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, path) = listen(directory.path());
    let text = "x".repeat(1 << 20);
    warn(&log(directory.path(), &format!("journald = {path}")), &text);
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(&socket, &mut [], &mut ancillary, RecvFlags::empty()).unwrap();
    let descriptors = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let mut file = std::fs::File::from(descriptors.expect("a file comes"));
    let seals = rustix::fs::fcntl_get_seals(&file).unwrap();
    assert!(seals.contains(rustix::fs::SealFlags::WRITE | rustix::fs::SealFlags::GROW | rustix::fs::SealFlags::SHRINK));
    std::io::Seek::rewind(&mut file).unwrap();
    let mut entry = String::new();
    file.read_to_string(&mut entry).unwrap();
    assert!(entry.starts_with(&format!("MESSAGE={text}\nPRIORITY=4\n")));
}

/// A message without its time and process.
fn without_time(message: &str) -> String {
    let words: Vec<&str> = message.splitn(6, ' ').collect();
    let [priority, at, node, program, process, rest] = words[..] else { panic!("{message:?} is not a message") };
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    assert_eq!(process, std::process::id().to_string());
    format!("{priority} {node} {program} {rest}")
}

#[test]
fn a_local_syslog_gets_a_message_for_each_line() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, path) = listen(directory.path());
    let log = log(directory.path(), &format!("syslog = {path}"));
    warn(&log, "one\n\ttwo \"]\n");
    log.line(None, LogSeverity::Error, "three");
    let next = || without_time(&String::from_utf8(received(&socket)).unwrap());
    assert_eq!(next(), r#"<28>1 n1 hostler - [hostler@32473 object="web" rid="fs#1"] web: fs#1: one"#);
    assert_eq!(next(), r#"<28>1 n1 hostler - [hostler@32473 object="web" rid="fs#1"] web: fs#1:  two "]"#);
    assert_eq!(next(), r#"<27>1 n1 hostler - [hostler@32473 object="web"] web: three"#);
}

/// One after the other, as a process has one log host at a time.
#[test]
fn a_log_host_is_reached_over_udp_and_tcp_and_may_be_away() {
    let directory = tempfile::tempdir().unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(PATIENCE)).unwrap();
    warn(&log(directory.path(), &format!("syslog = udp://{}", udp.local_addr().unwrap())), "by udp");
    let mut buffer = [0; 1024];
    let length = udp.recv(&mut buffer).expect("a datagram comes");
    assert!(without_time(std::str::from_utf8(&buffer[..length]).unwrap()).ends_with("web: fs#1: by udp"));

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let log_to_tcp = log(directory.path(), &format!("syslog = tcp://{}", tcp.local_addr().unwrap()));
    ["one", "two"].iter().for_each(|text| warn(&log_to_tcp, text));
    remote::flush(PATIENCE);
    let (mut stream, _) = tcp.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for expected in ["web: fs#1: one", "web: fs#1: two"] {
        let message = framed(&mut stream);
        assert!(without_time(&message).ends_with(expected), "{message}");
    }
    drop((stream, tcp));

    // Nothing listens there: no line of the file is lost, and nothing waits.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = log(directory.path(), &format!("syslog = tcp://{gone}"));
    let began = Instant::now();
    (0..2000).for_each(|number| warn(&away, &format!("line {number}")));
    remote::flush(PATIENCE);
    assert!(began.elapsed() < PATIENCE, "a log host that is away was waited for");
    let kept = last_lines(&directory.path().join("web.log"), 1).unwrap();
    assert!(kept[0].ends_with("WRN web: fs#1: line 1999"), "{kept:?}");
}

/// A message with its length before it.
fn framed(stream: &mut std::net::TcpStream) -> String {
    let mut length = String::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        match byte[0] {
            b' ' => break,
            digit => length.push(char::from(digit)),
        }
    }
    let mut message = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut message).unwrap();
    String::from_utf8(message).unwrap()
}

#[test]
fn a_socket_that_is_full_or_gone_costs_no_line_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (socket, path) = listen(directory.path());
    let log = log(directory.path(), &format!("journald = {path}\nsyslog = {path}"));
    // Nothing reads the socket: its queue is full after a few lines.
    (0..500).for_each(|number| warn(&log, &format!("line {number}")));
    drop(socket);
    std::fs::remove_file(&path).unwrap();
    warn(&log, "the last line");
    let kept = last_lines(&directory.path().join("web.log"), usize::MAX).unwrap();
    assert_eq!(kept.len(), 501);
}
