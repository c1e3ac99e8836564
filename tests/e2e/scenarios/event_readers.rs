//! Many who read the events of the real daemon, some of whom stop: the daemon waits for none of them, and neither its memory nor its
//! descriptors grow, however many events there are.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::daemon::Daemon;
use crate::world::{World, until};

crate::trials!(fifty_readers_of_whom_five_have_stopped_cost_nobody_anything);

const READERS: usize = 45;
const STOPPED: usize = 5;

/// The daemon keeps so many events: before there are more, its memory grows.
const KEPT: u64 = 10_000;

/// So many events are made while five do not read: more than the daemon keeps, and than a socket holds. `make soak` sets more.
const EVENTS: u64 = 15_000;

/// So many make the events side by side.
const HANDS: usize = 8;

/// What may be counted as noise: the events that are kept, and the allocator, which returns little to the kernel.
const GROWTH_KB: u64 = 24 << 10;

/// So late may an event be read on a busy machine.
const LATE: Duration = Duration::from_secs(5);

/// What a reader has read.
#[derive(Debug, Default)]
struct ReadEvents {
    count: u64,
    last: u64,
    gaps: u64,
    /// The longest time between an event and its reading.
    latest: Duration,
}

fn fifty_readers_of_whom_five_have_stopped_cost_nobody_anything(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let soak: Option<u64> = std::env::var("HOSTLER_SOAK_EVENTS").ok().and_then(|number| number.parse().ok());
    let wanted = soak.unwrap_or(EVENTS);
    let daemon = Daemon::start(world);
    let alone = fds(&daemon);
    if soak.is_some() {
        // What the daemon keeps is no growth. In the short run it is, and stays within the noise.
        make_events(world, last_event(world) + KEPT + 1_000);
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let end = ReadersEnd(&stop);
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(|| read(world, &stop))).collect();
        let slow = SlowReaders((0..STOPPED).map(|number| follow(world, number)).collect());
        until("all of them follow", || fds(&daemon) >= alone + READERS + STOPPED);
        // Before they stop, for comparison.
        let quick = make_events(world, last_event(world) + 2_000);
        until("the slow ones read", || (0..STOPPED).all(|number| !world.read(&file(number)).is_empty()));
        slow.signal(Signal::SIGSTOP);
        let (memory, began) = (memory_kb(&daemon), last_event(world));
        let beside = make_events(world, began + wanted);
        let grown = memory_kb(&daemon).saturating_sub(memory);
        println!(
            "{wanted} events beside {STOPPED} stopped readers: {grown} KB more, an answer in {beside:?}, before in {quick:?}"
        );
        assert!(grown <= GROWTH_KB, "the daemon grew by {grown} KB over {wanted} events");
        assert!(beside < quick * 3 + Duration::from_millis(100), "an answer took {beside:?}, before {quick:?}");
        let last = last_event(world);
        slow.signal(Signal::SIGCONT);
        for number in 0..STOPPED {
            until("the slow ones learn what they have missed, and go on", || {
                let text = world.read(&file(number));
                text.contains("\"resync\"") && text.contains(&format!("\"id\":{last},"))
            });
        }
        drop((slow, end));
        // A last event, so that each of them looks.
        world.om("node freeze").ok();
        for reader in readers {
            let read = reader.join().unwrap();
            assert_eq!(read.gaps, 0, "a reader that reads misses nothing: {read:?}");
            assert!(read.count >= wanted && read.last >= last && read.latest < LATE, "{read:?}");
        }
    });
    until("all descriptors are given back", || fds(&daemon) <= alone + 2);
    world.om("node thaw").ok();
    drop(daemon);
}

/// Makes events until there is one of this number. Returns how long an answer took, in the middle.
fn make_events(world: &World, end: u64) -> Duration {
    let enough = AtomicBool::new(false);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let enough = &enough;
        let hands: Vec<_> = (0..HANDS).map(|_| scope.spawn(move || order_again(world, enough))).collect();
        while last_event(world) < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        enough.store(true, Ordering::Relaxed);
        hands.into_iter().flat_map(|hand| hand.join().unwrap()).collect()
    });
    times.sort_unstable();
    times[times.len() / 2]
}

/// Orders again and again what is refused, which is an event each time and costs the disk nothing. Returns how long each answer took.
fn order_again(world: &World, enough: &AtomicBool) -> Vec<Duration> {
    let body = r#"{"verb":{"switch":{"to":["n9"]}}}"#;
    let head = format!("POST /object/web/order HTTP/1.1\r\nHost: d\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut stream = BufReader::new(UnixStream::connect(world.path("root/run/daemon.sock")).unwrap());
    let mut times = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
        let answer = answer_on(&mut stream);
        times.push(began.elapsed());
        assert!(answer.contains("n9 is not a node of web"), "{answer}");
    }
    times
}

/// The body of an answer, on a connection that stays open.
fn answer_on(stream: &mut BufReader<UnixStream>) -> String {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().to_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn connect(world: &World, request: &str, body: &str) -> UnixStream {
    let mut stream = UnixStream::connect(world.path("root/run/daemon.sock")).unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream
}

fn ask(world: &World, request: &str, body: &str) -> String {
    let mut answer = String::new();
    connect(world, request, body).read_to_string(&mut answer).unwrap();
    answer
}

fn last_event(world: &World) -> u64 {
    let status = ask(world, "GET /status", "");
    let number = status.split_once("\"last_event\":").and_then(|(_, rest)| rest.split([',', '}']).next());
    number.and_then(|number| number.trim().parse().ok()).unwrap()
}

/// Reads events from now on until it is to stop.
fn read(world: &World, stop: &AtomicBool) -> ReadEvents {
    let lines = BufReader::new(connect(world, "GET /events", "")).lines().map_while(Result::ok);
    let mut read = ReadEvents::default();
    for line in lines {
        if let Some(id) = line.strip_prefix("id: ").and_then(|id| id.parse::<u64>().ok()) {
            read.gaps += u64::from(read.count > 0 && id != read.last + 1);
            (read.count, read.last) = (read.count + 1, id);
        }
        if let Some(at) = line.split_once("\"at\":").and_then(|(_, rest)| rest.split(',').next()?.parse::<f64>().ok()) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
            read.latest = read.latest.max(Duration::from_secs_f64((now - at).max(0.0)));
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    read
}

fn file(number: usize) -> String {
    format!("reader.{number}")
}

/// `om events` that writes to a file.
fn follow(world: &World, number: usize) -> Child {
    let output = File::create(world.path(&file(number))).unwrap();
    let mut command = world.command();
    command.args(["events", "--format", "json"]).stdout(output).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Those who stop. They end with the test, also if it fails.
struct SlowReaders(Vec<Child>);

impl SlowReaders {
    fn signal(&self, signal: Signal) {
        let pid = |child: &Child| Pid::from_raw(i32::try_from(child.id()).unwrap());
        self.0.iter().for_each(|child| kill(pid(child), signal).unwrap());
    }
}

impl Drop for SlowReaders {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Lets the others end, also if the test fails.
struct ReadersEnd<'a>(&'a AtomicBool);

impl Drop for ReadersEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn fds(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count()
}

fn memory_kb(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
