//! What the keeper waits for: a new page, a signal, and the time since the boot, which goes on while the machine is suspended.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// SIGTERM: end, if nothing is held.
    End,
    /// SIGUSR1: end at once, and leave the watchdog running for the next keeper.
    HandOver,
}

/// The descriptors that wake it.
pub(crate) struct WakeSources {
    page: OwnedFd,
    timer: OwnedFd,
    signals: SignalFd,
}

impl WakeSources {
    /// Watches the page, which must exist. From here on signals wait to be read.
    pub(crate) fn new(page: &Path) -> io::Result<WakeSources> {
        let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        inotify::add_watch(&watch, page, inotify::WatchFlags::MODIFY)?;
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let mut signals = SigSet::empty();
        // The last three are taken in and ignored: a terminal that is closed must not end what guards.
        for signal in [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGINT, Signal::SIGHUP, Signal::SIGPIPE] {
            signals.add(signal);
        }
        // Otherwise their default action would come before they can be read, see signalfd(2).
        signals.thread_block()?;
        let signals = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(WakeSources { page: watch, timer, signals })
    }

    /// Waits for any of them, at most until this moment. Returns what a signal asked for.
    pub(crate) fn wait(&self, until: Option<Duration>) -> Option<Wish> {
        // Zero would stop the timer.
        let at = until.map_or(Duration::ZERO, |until| until.max(Duration::from_nanos(1)));
        let value = Timespec::try_from(at).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let time = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        let _ = rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &time);
        let mut sources = [
            PollFd::new(&self.page, PollFlags::IN),
            PollFd::new(&self.timer, PollFlags::IN),
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
        ];
        let _ = poll(&mut sources, None);
        self.empty();
        let signal = self.signals.read_signal().ok().flatten()?;
        match i32::try_from(signal.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())? {
            Signal::SIGTERM => Some(Wish::End),
            Signal::SIGUSR1 => Some(Wish::HandOver),
            _ => None,
        }
    }

    /// Takes in what was there: the page and the clock are looked at anyway.
    fn empty(&self) {
        let mut events = [MaybeUninit::<u8>::uninit(); 1024];
        while rustix::io::read(&self.page, &mut events).is_ok_and(|(read, _)| !read.is_empty()) {}
        let mut ticks = [0_u8; 8];
        let _ = rustix::io::read(&self.timer, &mut ticks);
    }
}
