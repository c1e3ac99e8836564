//! A guest that goes on running at the libvirt of another node.
//!
//! virsh itself speaks with both: if it is killed, the other libvirt drops what has arrived, and the guest runs on here.

use hostler_sdk::process::Output;

use super::*;
use crate::domain::VIRSH;

/// The line that allows migrations by one transport. virsh takes all power from the ssh that it runs, which is a power too.
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

/// What is left of the time of the call when virsh is given up, to see what became of the guest.
const RESERVE: Duration = Duration::from_secs(30);

/// How long a guest whose migration has failed at the last moment may take to go on here.
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
            Err(CapabilityError::TimedOut) => Error::retryable(format!("not done within {}s", time.as_secs())),
            Err(error) => error.into(),
        };
        Err(self.told_of_the_guest(to, why))
    }
}

impl VirtualMachine {
    /// The other node keeps the definition, and so does this one.
    fn migration(&self, to: &str) -> Command {
        let transport = &self.migration_transport;
        // Nobody is there to type a password.
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

    /// Why a migration failed, and what became of the guest.
    fn told_of_the_guest(&self, to: &str, why: Error) -> Error {
        let name = &self.name;
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

/// What virsh has written, in one line.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().map(|line| line.trim().trim_start_matches("error: "));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { format!("virsh ended with {}", output.status) } else { lines.join("; ") }
}
