//! The best demo that this machine allows: tried from the best one down, never guessed from the uid.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow};

use super::interrupt::HeldSignals;
use super::{enter, play, web};
use crate::{DemoError, DemoOrder, DemoRung};

/// The exit code of a process whose rung is not possible here, see sysexits(3): EX_UNAVAILABLE.
pub(super) const UNAVAILABLE: u8 = 69;

/// Shows the demo, or plays one of its parts.
pub fn run(args: &DemoOrder) -> Result<ExitCode, DemoError> {
    if let Some([address, directory]) = args.serve.as_deref() {
        return Ok(web::serve(address, Path::new(directory))?);
    }
    if let Some(address) = &args.fetch {
        return Ok(web::fetch(address)?);
    }
    if let (Some(directory), Some(rung)) = (&args.inside, args.rung) {
        return Ok(inside(rung, directory, args.shell)?);
    }
    let rungs = args.rung.map_or(vec![DemoRung::Root, DemoRung::User, DemoRung::Plain], |rung| vec![rung]);
    // A signal from the terminal also reaches the process inside, which takes everything down first: wait for it.
    let _interrupts = HeldSignals::hold()?;
    for rung in rungs {
        let code = climb(rung, args.shell)?;
        if code != UNAVAILABLE {
            return Ok(ExitCode::from(code));
        }
    }
    Err(DemoError::NotAllowed)
}

/// Shows one rung, in its own process and below its own directory.
fn climb(rung: DemoRung, shell: bool) -> Result<u8> {
    let directory = tempfile::Builder::new().prefix("hostler-demo-").tempdir().context("cannot create a directory")?;
    let om = std::env::current_exe().context("cannot find the path of this program")?;
    let mut command = Command::new(om);
    command.args(["demo", "--rung", name(rung), "--inside"]).arg(directory.path());
    if shell {
        command.arg("--shell");
    }
    let status = command.status().context("cannot run the demo")?;
    let place = directory.path().to_owned();
    // Not left to drop, which would ignore the error.
    directory.close().with_context(|| format!("cannot remove {}: something was left behind", place.display()))?;
    status.code().and_then(|code| u8::try_from(code).ok()).ok_or_else(|| anyhow!("the demo was killed: {status}"))
}

fn inside(rung: DemoRung, directory: &Path, shell: bool) -> Result<ExitCode> {
    if let Err(error) = enter::enter(rung, directory) {
        // Not an error: the next rung needs less.
        crate::print_error(&format!("om demo: not shown {}: {error:#}\n", describe(rung)));
        return Ok(ExitCode::from(UNAVAILABLE));
    }
    play::play(rung, directory, shell)?;
    Ok(ExitCode::SUCCESS)
}

fn name(rung: DemoRung) -> &'static str {
    match rung {
        DemoRung::Root => "root",
        DemoRung::User => "user",
        DemoRung::Plain => "plain",
    }
}

/// The description of a rung, to follow "shown" or "not shown".
pub(super) fn describe(rung: DemoRung) -> &'static str {
    match rung {
        DemoRung::Root => "as root, with loop devices, in private mount and network namespaces",
        DemoRung::User => "as an ordinary user, in a user namespace",
        DemoRung::Plain => "as an ordinary user, without any namespace",
    }
}
