//! `container.sandbox`: a container that consists of a network namespace and a process that sleeps in it. It is for tests of
//! resources that join a container, and can report a false namespace on request.

use hostler_sdk::prelude::*;

/// How long the process may take to enter its namespace.
const PATIENCE: Duration = Duration::from_secs(20);

/// A network namespace with a process that sleeps in it.
#[derive(Keywords)]
struct SandboxProbe {
    /// How long the process sleeps, in seconds.
    #[keyword(default = "3600")]
    seconds: String,
    /// The namespace that it reports as its own, instead of the true one.
    claims: Option<String>,
}

#[driver]
impl Driver for SandboxProbe {
    const NAME: &str = "container.sandbox";
    const GRANTS: &[&str] = &["spawn(caps=all) = /usr/bin/unshare --net -- /bin/sleep {kw:seconds}"];

    fn status(&self, _: &Context) -> Result<Status> {
        let Some(pid) = sleeper()? else { return Ok(Status::down().label("sandbox")) };
        let netns = self.claims.clone().unwrap_or_else(|| format!("/proc/{pid}/ns/net"));
        let status = Status::up().label("sandbox").exposes("pid", pid).exposes("netns", netns);
        Ok(status.exposes("id", format!("{pid:012}-sandbox")))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if let Some(pid) = sleeper()? {
            return Ok(Outcome::unchanged(format!("already up with pid {pid}")));
        }
        Command::new("/usr/bin/unshare").args(["--net", "--", "/bin/sleep", &self.seconds]).spawn()?;
        let end = clock::since_boot() + PATIENCE;
        while clock::since_boot() < end {
            if let Some(pid) = sleeper()? {
                return Ok(Outcome::changed(format!("up with pid {pid}")));
            }
            clock::sleep(Duration::from_millis(5))?;
        }
        Err(Error::failed("unshare(1) never came to the program"))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        match process::terminate("KILL", Duration::ZERO)? {
            0 => Ok(Outcome::unchanged("already down")),
            _ => Ok(Outcome::changed("down")),
        }
    }
}

/// The process, once it is in its namespace: only then unshare(1) executes the program.
fn sleeper() -> Result<Option<u32>> {
    let processes = process::running()?;
    Ok(processes.iter().find(|process| process.argv.first().is_some_and(|arg| arg == "/bin/sleep")).map(|p| p.pid))
}
