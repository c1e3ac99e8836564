//! Between fork and exec: the child gives itself its session, group, limits and user, and then executes the program.
//!
//! The agent has many threads, and one of them may hold a lock at the moment of the fork. So nothing here may allocate,
//! lock or panic: everything is prepared before the fork, and only system calls are left. The program is executed from
//! here; std's own exec is never reached.

#![expect(unsafe_code, reason = "to leave a terminal has no safe wrapper")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;

use rustix::fs::{Mode, OFlags};

use super::confine::{drop_bounding_set, drop_inheritable};
use super::exec::{self, ExecVector};
use super::inherited::InheritedState;
use super::landlock::FileConfinement;
use super::launch::{SessionKind, StandardStream};
use super::{CapabilityBounds, ResourceLimit, UserAccount};

/// Everything that the child needs, prepared before the fork.
pub(super) struct ChildSetup {
    pub(super) program: CString,
    pub(super) argv: ExecVector,
    pub(super) envp: ExecVector,
    pub(super) session: SessionKind,
    /// Of a program of root, what was opened: another user must not put a link in the place of a directory above.
    pub(super) cwd: Result<OwnedFd, CString>,
    pub(super) account: Option<UserAccount>,
    pub(super) umask: u32,
    /// None: the program has the priority and the limits of its caller.
    pub(super) inherited: Option<InheritedState>,
    pub(super) limits: Vec<ResourceLimit>,
    pub(super) bounds: CapabilityBounds,
    pub(super) cgroups: Vec<OwnedFd>,
    pub(super) files: Option<FileConfinement>,
    /// The pipe to which the child writes the number of the step that failed.
    pub(super) failed: OwnedFd,
}

macro_rules! steps {
    ($($step:ident => $name:literal),* $(,)?) => {
        /// The steps of the child, in this order. Capabilities come before the user, because only root may drop them from
        /// the bounding set; the working directory comes after it, because the user must be allowed to enter it.
        #[derive(Clone, Copy)]
        pub(super) enum ChildStep { $($step),* }

        impl ChildStep {
            /// The step in words, as it stands after "cannot run PROGRAM:".
            pub(super) fn name(code: u8) -> &'static str {
                [$($name),*].get(usize::from(code)).copied().unwrap_or("start the process")
            }
        }
    };
}

steps! {
    Session => "make a session",
    Cgroup => "enter the control group",
    Inherited => "drop what it would inherit",
    Limit => "set a resource limit",
    Bounds => "drop capabilities",
    Account => "become the user",
    Directory => "enter the working directory",
    Files => "be confined to its files",
    Descriptors => "close what it must not inherit",
    Exec => "execute it",
}

impl ChildSetup {
    /// Makes `command` become this child once it is forked.
    pub(super) fn arm(self, command: &mut Command) {
        exec::after_fork(command, move || self.become_program());
    }

    fn become_program(&self) -> io::Result<()> {
        self.step(ChildStep::Session, || self.enter_session())?;
        self.step(ChildStep::Cgroup, || self.enter_cgroup())?;
        self.step(ChildStep::Inherited, || self.inherited.as_ref().map_or(Ok(()), InheritedState::reset))?;
        self.step(ChildStep::Limit, || self.set_limits())?;
        self.step(ChildStep::Bounds, || self.drop_capabilities())?;
        self.step(ChildStep::Account, || self.become_user())?;
        self.step(ChildStep::Directory, || {
            match &self.cwd {
                Ok(directory) => rustix::process::fchdir(directory)?,
                Err(path) => rustix::process::chdir(path.as_c_str())?,
            }
            Ok(())
        })?;
        // After the directory, which need not be among the files.
        self.step(ChildStep::Files, || self.files.as_ref().map_or(Ok(()), FileConfinement::enter))?;
        self.step(ChildStep::Descriptors, exec::inherit_nothing)?;
        self.step(ChildStep::Exec, || Err(exec::execute(&self.program, &self.argv, &self.envp)))
    }

    fn step(&self, step: ChildStep, act: impl Fn() -> io::Result<()>) -> io::Result<()> {
        act().inspect_err(|_| {
            // If even this write fails, the parent still gets the errno, by std's own pipe.
            let _ = rustix::io::write(&self.failed, &[step as u8]);
        })
    }

    fn enter_session(&self) -> io::Result<()> {
        match self.session {
            // A group of its own, so that the program and its children can be killed by one signal.
            SessionKind::OwnGroup => {
                rustix::process::setpgid(None, None)?;
                leave_terminal();
            }
            SessionKind::Detached | SessionKind::OfTerminal(None) => drop(rustix::process::setsid()?),
            SessionKind::OfTerminal(Some(stream)) => {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(match stream {
                    StandardStream::Input => rustix::stdio::stdin(),
                    StandardStream::Output => rustix::stdio::stdout(),
                    StandardStream::Errors => rustix::stdio::stderr(),
                })?;
            }
        }
        rustix::process::umask(Mode::from_raw_mode(self.umask));
        Ok(())
    }

    /// By a write to cgroup.procs and not by CLONE_INTO_CGROUP, because std forks for us and has no such option.
    fn enter_cgroup(&self) -> io::Result<()> {
        self.cgroups.iter().try_for_each(|procs| rustix::io::write(procs, b"0").map(drop).map_err(Into::into))
    }

    fn set_limits(&self) -> io::Result<()> {
        self.limits.iter().try_for_each(|limit| Ok(rustix::process::setrlimit(limit.resource, limit.rlimit())?))
    }

    fn drop_capabilities(&self) -> io::Result<()> {
        let CapabilityBounds::Only(keep) = self.bounds else { return Ok(()) };
        // Before the bounding set: without it a set-user-id program could still gain what is left there.
        rustix::thread::set_no_new_privs(true)?;
        drop_bounding_set(keep)?;
        drop_inheritable()
    }

    /// Sets the credentials of the thread, which are those of the process: after fork there is one thread. Groups first,
    /// then the group, then the user: once the user has changed, nothing else may be.
    fn become_user(&self) -> io::Result<()> {
        let Some(account) = &self.account else { return Ok(()) };
        rustix::thread::set_thread_groups(&account.groups)?;
        rustix::thread::set_thread_res_gid(account.gid, account.gid, account.gid)?;
        rustix::thread::set_thread_res_uid(account.uid, account.uid, account.uid)?;
        Ok(())
    }
}

/// Gives up the terminal of the session, for this process and all that it starts: who can open /dev/tty can type into it, by TIOCSTI of
/// ioctl_tty(2), where `dev.tty.legacy_tiocsti` allows that.
fn leave_terminal() {
    // It cannot be opened where there is none, and then there is nothing to give up.
    let Ok(terminal) = rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
    else {
        return;
    };
    // SAFETY: TIOCNOTTY takes no argument, and the descriptor is open. It is async-signal-safe, as ioctl(2) is only a system call.
    unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
}
