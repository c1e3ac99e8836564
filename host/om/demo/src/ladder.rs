//! Which demo this machine allows: tried from the best one down, never guessed from the uid.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow};

use super::interrupt::Interrupts;
use super::{enter, play, web};
use crate::{DemoError, DemoOrder, DemoRung};

/// How a process says that its rung is not to be had, see sysexits(3): EX_UNAVAILABLE.
pub(super) const UNAVAILABLE: u8 = 69;

/// Shows the demo, or plays one of its parts.
pub fn run(args: &DemoOrder) -> Result<ExitCode, DemoError> {
    if let Some([address, folder]) = args.serve.as_deref() {
        return Ok(web::serve(address, Path::new(folder))?);
    }
    if let Some(address) = &args.fetch {
        return Ok(web::fetch(address)?);
    }
    if let (Some(folder), Some(rung)) = (&args.inside, args.rung) {
        return Ok(inside(rung, folder, args.shell)?);
    }
    let rungs = args.rung.map_or(vec![DemoRung::Root, DemoRung::User, DemoRung::Plain], |rung| vec![rung]);
    // Whoever interrupts the demo interrupts the process inside, which takes everything down first.
    let _interrupts = Interrupts::hold()?;
    for rung in rungs {
        let code = climb(rung, args.shell)?;
        if code != UNAVAILABLE {
            return Ok(ExitCode::from(code));
        }
    }
    Err(DemoError::NotAllowed)
}

/// Shows one rung in a process of its own, below a folder of its own.
fn climb(rung: DemoRung, shell: bool) -> Result<u8> {
    let folder = tempfile::Builder::new().prefix("hostler-demo-").tempdir().context("cannot make a folder")?;
    let om = std::env::current_exe().context("cannot tell which program this is")?;
    let mut command = Command::new(om);
    command.args(["demo", "--rung", name(rung), "--inside"]).arg(folder.path());
    if shell {
        command.arg("--shell");
    }
    let status = command.status().context("cannot run the demo")?;
    let place = folder.path().to_owned();
    folder.close().with_context(|| format!("cannot remove {}: something was left behind", place.display()))?;
    status.code().and_then(|code| u8::try_from(code).ok()).ok_or_else(|| anyhow!("the demo was killed: {status}"))
}

fn inside(rung: DemoRung, folder: &Path, shell: bool) -> Result<ExitCode> {
    if let Err(error) = enter::enter(rung, folder) {
        // Not an error: the next rung is for those who do not have this one.
        crate::print_error(&format!("om demo: not shown {}: {error:#}\n", describe(rung)));
        return Ok(ExitCode::from(UNAVAILABLE));
    }
    play::play(rung, folder, shell)?;
    Ok(ExitCode::SUCCESS)
}

fn name(rung: DemoRung) -> &'static str {
    match rung {
        DemoRung::Root => "root",
        DemoRung::User => "user",
        DemoRung::Plain => "plain",
    }
}

/// What a rung is, behind "shown" and "not shown".
pub(super) fn describe(rung: DemoRung) -> &'static str {
    match rung {
        DemoRung::Root => "as root, with loop devices, in private mount and network namespaces",
        DemoRung::User => "as an ordinary user, in a user namespace",
        DemoRung::Plain => "as an ordinary user, without any namespace",
    }
}
