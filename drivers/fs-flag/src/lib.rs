//! `fs.flag`: a file that exists while the resource is up.
//!
//! Up: `{rundir}/{rid}.flag` exists. Down: it does not exist; a reboot empties the directory. It is useful for tests, and as a
//! mark for other programs.

use hostler_sdk::prelude::*;

/// A file that exists while the resource is up.
///
/// The file is named after the resource. It is in the object's run directory, which a reboot empties.
#[derive(Keywords)]
struct FlagFile;

#[driver]
impl Driver for FlagFile {
    const NAME: &str = "fs.flag";
    const GRANTS: &[&str] = &["files.write = {rundir}/{rid}.flag"];

    fn status(&self, context: &Context) -> Result<Status> {
        let file = file(context)?;
        Ok(Status::up_if(files::exists(&file)?).label(file.display()))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let file = file(context)?;
        if files::exists(&file)? {
            return Ok(Outcome::unchanged(format!("{} already exists", file.display())));
        }
        files::write(&file, "", Mode(0o644))?;
        Ok(Outcome::changed(format!("made {}", file.display())))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let file = file(context)?;
        if !files::remove(&file)? {
            return Ok(Outcome::unchanged(format!("{} does not exist", file.display())));
        }
        Ok(Outcome::changed(format!("removed {}", file.display())))
    }
}

/// The path of the file: `/run/…/fs#1.flag`.
fn file(context: &Context) -> Result<PathBuf> {
    Ok(context.rundir()?.join(format!("{}.flag", context.rid)))
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};

    use super::*;

    const FLAG: &str = "/run/hostler/svc/web/fs#1.flag";

    fn host() -> Host {
        Host::new().directory("/run/hostler/svc/web")
    }

    fn flag(host: &Host) -> Case<FlagFile> {
        given(FlagFile).on(host)
    }

    #[test]
    fn the_file_exists_while_the_resource_is_up() {
        let host = host();
        flag(&host)
            .status()
            .is(State::Down)
            .labelled(FLAG)
            .start()
            .is_changed("made /run/hostler/svc/web/fs#1.flag")
            .status()
            .is(State::Up)
            .then(|host| assert!(host.has_file(FLAG)))
            .stop()
            .is_changed("removed /run/hostler/svc/web/fs#1.flag")
            .status()
            .is(State::Down);
        assert!(!host.has_file(FLAG));
    }

    #[test]
    fn start_and_stop_are_idempotent() {
        let host = host().text_file(FLAG, "");
        flag(&host)
            .start()
            .is_unchanged("/run/hostler/svc/web/fs#1.flag already exists")
            .stop()
            .stop()
            .is_unchanged("/run/hostler/svc/web/fs#1.flag does not exist");
    }

    #[test]
    fn a_full_disk_is_reported_as_such() {
        let full = CapabilityError::Os { errno: errno::ENOSPC, doing: format!("write {FLAG}") };
        let host = host().failing("files.write", full);
        flag(&host)
            .start()
            .fails_with("write /run/hostler/svc/web/fs#1.flag: no space left on device")
            .status()
            .is(State::Down);
    }
}
