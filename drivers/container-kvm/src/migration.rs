//! The migration of a running guest to the libvirt of another node.
//!
//! virsh itself talks to both libvirts. If it is killed, the other libvirt discards what it received, and the guest keeps
//! running here.

use hostler_sdk::process::Output;

use super::*;
use crate::domain::VIRSH;

/// The grant for migrations by one transport. virsh drops the capabilities of the ssh that it runs, which needs a capability.
#[macro_export]
macro_rules! grant_migrate {
    ($exec:literal, $to:literal) => {
        concat!(
            $exec,
            " = /usr/bin/virsh -c {kw:uri} migrate --live --persistent [ --bandwidth {kw:migration_bandwidth} ]",
            " [ --timeout * --timeout-suspend ] -- {kw:name} ",
            $to
        )
    };
}

/// The part of the call's time that is kept to find out where the guest is, after virsh timed out.
const RESERVE: Duration = Duration::from_secs(30);

/// How long a guest may take to continue here after its migration failed at the end.
const SETTLE: Duration = Duration::from_secs(10);

impl Migrate for VirtualMachine {
    fn migrate(&self, context: &Context, to: &str) -> Result<Outcome> {
        let name = &self.name;
        match self.state()? {
            DomainState::Running => {}
            DomainState::ShutOff => return Ok(Outcome::unchanged(format!("{name} does not run here"))),
            state => {
                return Err(Error::failed(format!("{name} is {}: only a guest that runs is migrated", state.word())));
            }
        }
        let time = context.deadline.saturating_sub(RESERVE).max(context.deadline / 2);
        let why = match self.migration(to).timeout(time).run() {
            Ok(output) if output.succeeded() => return Ok(Outcome::changed(format!("{name} runs on {to}"))),
            Ok(output) => Error::failed(complaint(&output)),
            // A timed-out virsh was killed. libvirt then aborts the migration, so the guest usually runs here: see below.
            Err(CapabilityError::TimedOut) => Error::retryable(format!("not done within {}s", time.as_secs())),
            Err(error) => error.into(),
        };
        Err(self.told_of_the_guest(to, why))
    }
}

impl VirtualMachine {
    /// The command. With `--persistent` and without `--undefinesource`, both nodes keep the definition.
    fn migration(&self, to: &str) -> Command {
        let transport = &self.migration_transport;
        // ssh must not ask for a password: there is no operator to type it.
        let query = if transport == "ssh" { "?no_tty=1" } else { "" };
        let mut virsh = Command::new(VIRSH).args(["-c", &self.uri, "migrate", "--live", "--persistent"]);
        if let Some(bandwidth) = self.migration_bandwidth {
            virsh = virsh.args(["--bandwidth", &bandwidth.to_string()]);
        }
        if let Some(time) = self.migration_suspend_after {
            virsh = virsh.args(["--timeout", &time.as_secs().max(1).to_string(), "--timeout-suspend"]);
        }
        virsh.args(["--", &self.name, &format!("qemu+{transport}://{to}/system{query}")])
    }

    /// The error of a migration that failed, with the state of the guest.
    fn told_of_the_guest(&self, to: &str, why: Error) -> Error {
        let name = &self.name;
        // While libvirt aborts the migration, the guest is paused: the state of then would say nothing.
        let settled = clock::wait_until(SETTLE, PAUSE, || Ok(self.state()? != DomainState::Moving));
        let guest = match settled.and_then(|_| self.state()) {
            Ok(DomainState::Running) => format!("{name} still runs here"),
            Ok(state) => format!("{name} is {} here, see whether it runs on {to}", state.word()),
            Err(_) => format!("see where {name} runs"),
        };
        match why {
            Error::Failed(text) => Error::failed(format!("{guest}: {text}")),
            Error::Retryable(text) => Error::retryable(format!("{guest}: {text}")),
            other => other,
        }
    }
}

/// The error output of virsh, in one line.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().map(|line| line.trim().trim_start_matches("error: "));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { format!("virsh exited with {}", output.status) } else { lines.join("; ") }
}
