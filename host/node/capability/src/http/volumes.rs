//! The paths of the node that containers see, and the sockets of engines: whether anybody but root could put something else in
//! their place between the look and the engine, which opens them again by name.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use guard::{ContainerVolume, GuardRefusal};
use kernel::path::{LastLink, check_above, check_entry, identities_above, identity, resolve};

/// How much of a container's id engines show.
const SHORT: usize = 12;

/// Checks the volumes of a container: that each exists, that no link is in its path, that every directory above belongs to root
/// alone, and that neither lies below a writable volume of another container, nor another one's below a writable one of these.
pub(super) fn check(paths: &[(PathBuf, bool)], beside: &[ContainerVolume]) -> Result<(), String> {
    for (path, _) in paths {
        is_itself(path)?;
        check_above(path).and_then(|()| check_entry(path)).map_err(|error| error.to_string())?;
    }
    let own = paths.iter().map(|(path, writable)| SeenVolume::of(path, *writable, "the container itself".to_owned()));
    // What is gone by now cannot be written through.
    let own: Vec<SeenVolume> = own.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let holder = |volume: &ContainerVolume| {
        format!("the container {}", volume.container.get(..SHORT).unwrap_or(&volume.container))
    };
    let others =
        beside.iter().filter_map(|volume| SeenVolume::of(&volume.source, volume.writable, holder(volume)).ok());
    let others: Vec<SeenVolume> = others.collect();
    for one in &own {
        for other in own.iter().chain(&others) {
            // In both directions: each may be the one that is writable and above.
            one.is_apart_from(other)?;
            other.is_apart_from(one)?;
        }
    }
    Ok(())
}

/// Checks that nothing but the path itself is opened by it.
fn is_itself(path: &Path) -> Result<(), String> {
    let place = resolve(path, LastLink::Follow).and_then(|place| {
        // The engine, which is root, would create a missing path.
        place.existing()?;
        Ok(place)
    });
    match place {
        Ok(place) if place.path() == path => Ok(()),
        Ok(place) => Err(format!("{} leads to {}: name that", path.display(), place.path().display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// A volume as the kernel sees it.
struct SeenVolume {
    path: PathBuf,
    writable: bool,
    holder: String,
    identity: (u64, u64),
    above: Vec<(u64, u64)>,
}

impl SeenVolume {
    fn of(path: &Path, writable: bool, holder: String) -> Result<SeenVolume, kernel::KernelError> {
        let (identity, above) = (identity(path)?, identities_above(path)?);
        Ok(SeenVolume { path: path.to_owned(), writable, holder, identity, above })
    }

    /// By identities: a directory may be mounted at two places.
    fn is_apart_from(&self, other: &SeenVolume) -> Result<(), String> {
        if !other.writable || !self.above.contains(&other.identity) {
            return Ok(());
        }
        let nested = GuardRefusal::Nested {
            inner: self.path.display().to_string(),
            outer: other.path.display().to_string(),
            holder: other.holder.clone(),
        };
        Err(nested.to_string())
    }
}

/// Checks that a socket belongs to root, and that only root could have put it there.
pub(super) fn check_socket(socket: &Path) -> Result<(), String> {
    let Ok(place) = resolve(socket, LastLink::Follow) else { return Ok(()) };
    // Nothing listens where there is no socket: the request says so.
    let Ok(found) = std::fs::symlink_metadata(place.path()) else { return Ok(()) };
    check_above(place.path()).map_err(|error| format!("the socket of an engine must be root's: {error}"))?;
    // The group of an engine's users may connect to it. They are root by that, and by nothing that is believed here.
    let is_roots = found.file_type().is_socket() && found.uid() == 0 && found.mode() & 0o002 == 0;
    match is_roots {
        true => Ok(()),
        false => {
            Err(format!("{} is not a socket that belongs to root: name the node's engine", place.path().display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn volume(path: &Path, writable: bool) -> ContainerVolume {
        ContainerVolume { container: "0123456789abcdef".to_owned(), source: path.to_owned(), writable }
    }

    #[test]
    fn a_volume_below_a_writable_one_is_refused_both_ways() {
        let directory = tempfile::tempdir().unwrap();
        let (outer, inner) = (directory.path().join("outer"), directory.path().join("outer/a/inner"));
        fs::create_dir_all(&inner).unwrap();
        let refused = "which the container 0123456789ab may write";
        let found = check(&[(inner.clone(), true)], &[volume(&outer, true)]).unwrap_err();
        assert!(found.contains(&format!("{} lies below {}", inner.display(), outer.display())), "{found}");
        assert!(found.contains(refused), "{found}");
        check(&[(inner.clone(), true)], &[volume(&outer, false)]).unwrap();
        check(&[(inner.clone(), true)], &[volume(&inner, true), volume(&directory.path().join("gone"), true)]).unwrap();
        let found = check(&[(outer.clone(), true)], &[volume(&inner, false)]).unwrap_err();
        assert!(found.contains("which the container itself may write"), "{found}");
        check(&[(outer.clone(), false)], &[volume(&inner, true)]).unwrap();
        assert!(check(&[(outer, true), (inner, true)], &[]).is_err());
    }

    #[test]
    fn a_volume_that_others_could_exchange_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("team/data");
        fs::create_dir_all(&data).unwrap();
        check(&[(data.clone(), true)], &[]).unwrap();
        symlink("data", directory.path().join("team/link")).unwrap();
        let found = check(&[(directory.path().join("team/link"), true)], &[]).unwrap_err();
        assert!(found.contains("link"), "{found}");
        // The volume itself may belong to those whose data it holds.
        fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
        check(&[(data.clone(), true)], &[]).unwrap();
        // Where all may make files, its owner may exchange it.
        fs::set_permissions(directory.path().join("team"), fs::Permissions::from_mode(0o1777)).unwrap();
        check(&[(data.clone(), true)], &[]).unwrap();
        if chown(&data, Some(12345), None).is_ok() {
            let found = check(&[(data.clone(), true)], &[]).unwrap_err();
            assert!(found.contains("data belongs to user 12345"), "{found}");
        }
        fs::set_permissions(directory.path().join("team"), fs::Permissions::from_mode(0o777)).unwrap();
        let found = check(&[(data, true)], &[]).unwrap_err();
        assert!(found.contains("team can be written by others"), "{found}");
    }

    #[test]
    fn a_socket_that_a_user_made_is_no_engine() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("engine.sock");
        check_socket(&socket).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o660)).unwrap();
        if chown(&socket, Some(0), None).is_err() {
            return;
        }
        check_socket(&socket).unwrap();
        chown(&socket, Some(12345), None).unwrap();
        assert!(check_socket(&socket).unwrap_err().contains("is not a socket that belongs to root"));
        chown(&socket, Some(0), None).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(check_socket(&socket).unwrap_err().contains("can be written by others"));
    }
}
