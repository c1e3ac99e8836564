//! Syslog on another host, over UDP or TCP. A thread for each host does what may wait: it looks the name up, connects and writes.
//! The others only put messages into its queue, which is bounded; what does not fit is counted, and the host is informed of it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use model::log_target::{HostPort, SyslogTarget};

/// So many messages wait for a host that is slow or away.
const QUEUE: usize = 1024;
/// How long a connection may take, and a write.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a host that failed is left alone, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// The queue to a host.
struct RemoteQueue {
    messages: SyncSender<String>,
    state: Arc<QueueState>,
}

/// What is known of a queue.
#[derive(Default)]
struct QueueState {
    counts: Mutex<QueueCounts>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueCounts {
    waiting: usize,
    lost: usize,
    /// Whether the host does not answer.
    is_away: bool,
}

impl QueueState {
    fn counts(&self) -> MutexGuard<'_, QueueCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut QueueCounts)) {
        change(&mut self.counts());
        self.changed.notify_all();
    }
}

fn queues() -> MutexGuard<'static, HashMap<SyslogTarget, RemoteQueue>> {
    static QUEUES: OnceLock<Mutex<HashMap<SyslogTarget, RemoteQueue>>> = OnceLock::new();
    QUEUES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a message to a host, some time. Does not wait.
pub(super) fn send(target: &SyslogTarget, message: String) {
    let mut queues = queues();
    // A host that node.conf named before: its thread ends with its queue.
    queues.retain(|known, _| known == target);
    let queue = match queues.get(target) {
        Some(queue) => queue,
        None => match open(target) {
            Some(queue) => queues.entry(target.clone()).or_insert(queue),
            None => return,
        },
    };
    // Counted before it is in the queue: otherwise the thread could send it, and count it off, first.
    queue.state.change(|counts| counts.waiting += 1);
    if queue.messages.try_send(message).is_err() {
        queue.state.change(|counts| {
            counts.waiting -= 1;
            counts.lost += 1;
        });
    }
}

/// Waits until no message waits, the host does not answer, or the time is over.
pub(super) fn flush(limit: Duration) {
    let states: Vec<Arc<QueueState>> = queues().values().map(|queue| Arc::clone(&queue.state)).collect();
    let until = Instant::now() + limit;
    for state in states {
        let is_busy = |counts: &mut QueueCounts| counts.waiting > 0 && !counts.is_away;
        let left = until.saturating_duration_since(Instant::now());
        let _ = state.changed.wait_timeout_while(state.counts(), left, is_busy);
    }
}

fn open(target: &SyslogTarget) -> Option<RemoteQueue> {
    let (messages, received) = sync_channel(QUEUE);
    let state = Arc::new(QueueState::default());
    let (target, theirs) = (target.clone(), Arc::clone(&state));
    std::thread::Builder::new().name("syslog".to_owned()).spawn(move || serve(&target, &received, &theirs)).ok()?;
    Some(RemoteQueue { messages, state })
}

/// Sends what comes, until the queue is given up.
fn serve(target: &SyslogTarget, messages: &Receiver<String>, state: &QueueState) {
    let (mut wire, mut pause) = (None, PAUSES.0);
    while let Ok(message) = messages.recv() {
        // Tried again until it has left: the queue behind it is what loses messages.
        while let Err(_error) = transmit(target, &mut wire, &message) {
            wire = None;
            state.change(|counts| counts.is_away = true);
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
            // Asked here because a thread without messages ends with its queue, but this one never comes back to it
            // while its host is away.
            if is_given_up(target, state) {
                return;
            }
        }
        pause = PAUSES.0;
        let mut lost = 0;
        state.change(|counts| {
            counts.waiting -= 1;
            counts.is_away = false;
            lost = std::mem::take(&mut counts.lost);
        });
        if lost > 0 {
            // Up to the process, the header of this message fits the notice: it is of the
            // same host, program and moment.
            let header = message.split(" - ").next().unwrap_or_default();
            let _ = transmit(target, &mut wire, &format!("{header} - - {lost} messages were lost: the queue was full"));
        }
    }
}

/// Whether node.conf names another host by now.
fn is_given_up(target: &SyslogTarget, state: &QueueState) -> bool {
    let known = queues().get(target).is_some_and(|queue| std::ptr::eq(Arc::as_ptr(&queue.state), state));
    !known
}

enum RemoteWire {
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream),
}

fn transmit(target: &SyslogTarget, wire: &mut Option<RemoteWire>, message: &str) -> io::Result<()> {
    if wire.is_none() {
        *wire = connect(target)?;
    }
    match wire {
        Some(RemoteWire::Udp(socket, to)) => socket.send_to(message.as_bytes(), *to).map(drop),
        // With its length before it, as it may hold a line feed (RFC 6587).
        Some(RemoteWire::Tcp(stream)) => stream.write_all(format!("{} {message}", message.len()).as_bytes()),
        None => Ok(()),
    }
}

fn connect(target: &SyslogTarget) -> io::Result<Option<RemoteWire>> {
    let addresses = |at: &HostPort| (at.host.as_str(), at.port).to_socket_addrs();
    let none = || io::Error::from(io::ErrorKind::NotFound);
    match target {
        SyslogTarget::Udp(at) => {
            let to = addresses(at)?.next().ok_or_else(none)?;
            let own = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            Ok(Some(RemoteWire::Udp(UdpSocket::bind(own)?, to)))
        }
        SyslogTarget::Tcp(at) => {
            let mut last = none();
            for address in addresses(at)? {
                match TcpStream::connect_timeout(&address, PATIENCE) {
                    Ok(stream) => {
                        stream.set_write_timeout(Some(PATIENCE))?;
                        return Ok(Some(RemoteWire::Tcp(stream)));
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
        SyslogTarget::None | SyslogTarget::Socket(_) => Ok(None),
    }
}
