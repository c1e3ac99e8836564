//! The layers of an overlay, see Documentation/filesystems/overlayfs.rst.
//!
//! Each layer is pinned, because the kernel would follow a link that has replaced it. Linux takes layers in three ways:
//!
//! - since 6.13 by descriptor, one by one (`lowerdir+`);
//! - since 6.7 by name, one by one;
//! - before that by name, all lower layers in one text with colons between them.

use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::mount::{fsconfig_set_fd, fsconfig_set_string};

use super::attach::MountCall;
use super::errors;
use super::namespaces::{MountWitness, NamespacedMount, find_everywhere};
use super::options::lower_layers;
use super::place::MountPlace;
use crate::KernelError;
use crate::path::{LastLink, PinnedPath, descriptor_path, resolve};

/// A layer, pinned.
struct PinnedLayer {
    place: PinnedPath,
    directory: OwnedFd,
}

/// Sets `lowerdir`, `upperdir` or `workdir`. Returns the descriptors that the names which were set may lead through.
pub(super) fn set_layers(
    request: MountCall<'_>,
    context: &OwnedFd,
    name: &str,
    value: &str,
) -> Result<Vec<OwnedFd>, KernelError> {
    let refused = |errno| errors::explain(request, errno, &errors::messages(context));
    if matches!(name, "lowerdir+" | "datadir+") {
        let layer = PinnedLayer::open(request, name, Path::new(value))?;
        layer.set(context, name).map_err(refused)?;
        return Ok(vec![layer.directory]);
    }
    if name != "lowerdir" {
        let layer = PinnedLayer::open(request, name, Path::new(value))?;
        must_be_free(request, name, &layer)?;
        layer.set(context, name).map_err(refused)?;
        return Ok(vec![layer.directory]);
    }
    let layers = lower_layers(value);
    let layers = layers.iter().map(|layer| PinnedLayer::open(request, name, layer)).collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = layers.split_first() else { return Ok(Vec::new()) };
    let set = match first.add_lower(context) {
        Ok(()) => others.iter().try_for_each(|layer| layer.set(context, "lowerdir+")).map_err(refused),
        // Either this kernel does not know `lowerdir+`, or it refuses the layer: then it refuses it again.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => {
            // What the kernel said of the first attempt would be read as the reason why the second one failed.
            let _ = errors::messages(context);
            fsconfig_set_string(context, "lowerdir", joined(&layers)).map_err(refused)
        }
        Err(errno) => Err(refused(errno)),
    };
    set.map(|()| layers.into_iter().map(|layer| layer.directory).collect())
}

impl PinnedLayer {
    fn open(request: MountCall<'_>, name: &str, path: &Path) -> Result<PinnedLayer, KernelError> {
        let place = resolve(path, LastLink::Follow)?;
        place.existing()?;
        (request.judge)(MountPlace::Option { name, asked: path, real: place.path(), device: None })?;
        let directory = place.open(OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(PinnedLayer { place, directory })
    }

    /// Adds the first lower layer. A kernel that takes options as one text takes any name of an option here, and refuses an unknown
    /// one only when it mounts. It says what it is when it is offered a descriptor.
    fn add_lower(&self, context: &OwnedFd) -> Result<(), Errno> {
        match fsconfig_set_fd(context, "lowerdir+", &self.directory) {
            Err(Errno::INVAL | Errno::BADF) => fsconfig_set_string(context, "lowerdir+", self.name()),
            result => result,
        }
    }

    fn set(&self, context: &OwnedFd, key: &str) -> Result<(), Errno> {
        match fsconfig_set_fd(context, key, &self.directory) {
            // BADF: the key is known, and takes a name. OPNOTSUPP: the file system takes its options as one text.
            Err(Errno::INVAL | Errno::BADF | Errno::OPNOTSUPP) => fsconfig_set_string(context, key, self.name()),
            result => result,
        }
    }

    /// A name that leads here: its own if no other user can change that, else that of the descriptor, which df(1) then shows.
    fn name(&self) -> PathBuf {
        if self.place.trusted() { self.place.path().to_owned() } else { descriptor_path(&self.directory) }
    }
}

/// The lower layers in one text. A colon or a backslash in a name is escaped.
fn joined(layers: &[PinnedLayer]) -> String {
    let mut text = String::new();
    for (at, layer) in layers.iter().enumerate() {
        let name = layer.name().to_string_lossy().replace('\\', "\\\\").replace(':', "\\:");
        let _ = write!(text, "{}{name}", if at > 0 { ":" } else { "" });
    }
    text
}

/// Refuses an upper or work directory of another overlay: the kernel only logs a warning, and then both go wrong.
fn must_be_free(request: MountCall<'_>, name: &str, layer: &PinnedLayer) -> Result<(), KernelError> {
    let own = rustix::fs::fstat(&layer.directory).map_err(KernelError::os("look at a layer"))?;
    // A path in the table of another mount namespace begins at that one's root.
    let is_own = |path: &str, seen_by: &MountWitness| {
        let root = seen_by.pid().map(|pid| format!("/proc/{pid}/root")).unwrap_or_default();
        root.is_empty() && path == layer.place.path().to_string_lossy()
            || rustix::fs::stat(format!("{root}{path}"))
                .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (own.st_dev, own.st_ino))
    };
    let key = format!("{name}=");
    let made_up = |_, device: (u32, u32)| device.0 == 0;
    let user = find_everywhere(made_up)?.into_iter().filter(|seen| seen.mount.fstype == "overlay").find(|seen| {
        let paths = seen.mount.options.iter().filter_map(|option| option.strip_prefix(key.as_str()));
        paths.into_iter().any(|path| is_own(path, &seen.seen_by))
    });
    match user {
        None => Ok(()),
        Some(NamespacedMount { mount, seen_by }) => {
            let (path, target) = (layer.place.path().display(), mount.target.display());
            let damage = "two of them on one directory damage its files";
            let why = format!("the overlay on {target}{seen_by} uses {name} {path}: {damage}");
            Err(errors::refused(request, Errno::BUSY, why))
        }
    }
}
