//! Mounting and unmounting by descriptor.
//!
//! A mount is made detached, checked, and only then moved onto the pinned target: see mount_setattr(2), fsopen(2),
//! open_tree(2) and move_mount(2). Three quirks of the kernel decide the shape:
//!
//! - The source is given by its real name, because df(1) and our own status will read that name. The kernel opens it by that
//!   name, so the device that was mounted is compared with the pinned one before the mount becomes visible.
//! - A target that was renamed meanwhile takes the mount along. So the mount's path is read back, and a stray mount is undone.
//! - A descriptor of the target keeps the mount busy. So unmounting names the mount through its parent directory.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, OFlags, StatxFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};

use super::attributes::{follow_original, mount_setattr};
use super::filesystems::{FilesystemSupport, support};
use super::mountinfo::MountInfo;
use super::options::{BindScope, MountOptions, MountParameter, MountWord};
use super::place::{self, MountJudge, MountPlace};
use super::signature::MountSignature;
use super::{errors, kinship, mountinfo, overlay};
use crate::KernelError;
use crate::block;
use crate::block::holders;
use crate::path::{LastLink, PinnedPath, descriptor_path, resolve};

/// A mount to make.
#[derive(Clone, Copy)]
pub struct MountCall<'a> {
    /// A device, a directory to bind, or any word for file systems without a source.
    pub source: &'a str,
    /// The directory or file to mount on. It must exist.
    pub target: &'a Path,
    /// As in /proc/filesystems, or `bind`.
    pub fstype: &'a str,
    /// As in mount(8).
    pub options: &'a [MountWord<'a>],
    /// Whether what restricts the source, such as `nosuid` or `ro`, restricts a bind mount of it whatever the options say.
    pub keeps_restrictions: bool,
    /// Which devices a label or a UUID may mean.
    pub may_find: block::DeviceFilter<'a>,
    /// Is shown each place that the mount uses, before anything is mounted.
    pub judge: &'a MountJudge<'a>,
    /// Is shown the mount once it exists, before any path leads to it: until then, it goes with this process.
    pub prepared: &'a dyn Fn(DetachedMount) -> Result<(), KernelError>,
}

/// A mount that exists, and that no path leads to yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedMount {
    /// The number that it will have in the mount table.
    pub id: u64,
    /// What tells it from others that get the same number.
    pub signature: MountSignature,
}

/// A mount that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeMount {
    /// As the kernel lists it.
    pub info: MountInfo,
    /// What tells it from others that get the same numbers.
    pub signature: MountSignature,
}

/// The room in a mounted file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilesystemUsage {
    pub total: u64,
    /// The part that ordinary users may still fill.
    pub free: u64,
}

/// Whether the kernel knows the file system, or can load it.
pub fn supports(fstype: &str) -> Result<bool, KernelError> {
    Ok(fstype == "bind" || support(fstype)? != FilesystemSupport::Unknown)
}

/// Mounts on top of any mount that the target has already.
pub fn mount(request: MountCall<'_>) -> Result<MadeMount, KernelError> {
    mount_after(request, || ())
}

/// Mounts, and runs `meanwhile` at the moment when an attacker could: between the look at the paths and the mount. For
/// tests.
pub(crate) fn mount_after(request: MountCall<'_>, meanwhile: impl FnOnce()) -> Result<MadeMount, KernelError> {
    let mut options = MountOptions::sort(request.options)?;
    if request.keeps_restrictions {
        options.clear = MountAttrFlags::empty();
    }
    let target = resolve(request.target, LastLink::Follow)?;
    target.existing()?;
    (request.judge)(MountPlace::Target(target.path()))?;
    // `-t none` is how fstab(5) spells a bind mount, with the word `bind` among the options.
    let bind = options.bind.or_else(|| matches!(request.fstype, "bind" | "none").then_some(BindScope::Tree));
    let tree = match bind {
        Some(bind) => clone_tree(request, &options, bind)?,
        None => new_tree(request, &options)?,
    };
    meanwhile();
    let signature = MountSignature::of_detached(&tree, request.fstype);
    (request.prepared)(DetachedMount { id: mount_id(&tree)?, signature })?;
    attach(request, &tree, &target)
}

fn doing(request: MountCall<'_>) -> String {
    format!("mount {} on {}", request.source, request.target.display())
}

/// Makes a detached copy of the source's tree, with attributes of its own.
fn clone_tree(request: MountCall<'_>, options: &MountOptions, bind: BindScope) -> Result<OwnedFd, KernelError> {
    if let Some(MountParameter::Flag(name) | MountParameter::Value(name, _)) =
        options.parameters.iter().find(|parameter| **parameter != MountParameter::Flag("ro".to_owned()))
    {
        return Err(KernelError::Invalid(format!("mount option {name:?} has no meaning for a bind mount")));
    }
    let source = resolve(Path::new(request.source), LastLink::Follow)?;
    source.existing()?;
    (request.judge)(MountPlace::Shown(source.path()))?;
    let recursive = bind == BindScope::Recursive;
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    let tree = open_tree(source.existing()?, "", flags).map_err(|errno| errors::explain(request, errno, &[]))?;
    // Otherwise an unmount below the copy would also unmount the original of it, where that propagates (as systemd has it).
    follow_original(&tree).map_err(|errno| errors::explain(request, errno, &[]))?;
    // On the detached copy: a mount is never visible without its `nosuid` or `ro`.
    if !(options.set | options.clear).is_empty() {
        mount_setattr(&tree, options.set, options.clear, recursive)
            .map_err(|errno| errors::explain(request, errno, &[]))?;
    }
    Ok(tree)
}

/// Makes a detached mount of a file system.
fn new_tree(request: MountCall<'_>, options: &MountOptions) -> Result<OwnedFd, KernelError> {
    let device = pin_source(request)?;
    if let Some((_, device)) = &device {
        (request.judge)(MountPlace::Device(device))?;
    }
    let context =
        fsopen(request.fstype, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| errors::explain(request, errno, &[]))?;
    let refused = |errno| errors::explain(request, errno, &errors::messages(&context));
    // The real name of the device, whatever link or label named it: df(1) and umount(8) will know it by that.
    let source = match &device {
        Some((_, device)) => device.path.as_os_str(),
        None => OsStr::new(request.source),
    };
    fsconfig_set_string(&context, "source", source).map_err(refused)?;
    // Held until the kernel has opened what the options name.
    let mut pins = Vec::new();
    for parameter in &options.parameters {
        pins.extend(set_parameter(request, &context, parameter)?);
    }
    let pool = device.as_ref().filter(|_| request.fstype == "btrfs");
    let missing = pool.and_then(|(_, device)| kinship::gather(device, request.may_find));
    // Here the file system reads the device: most mounts that fail do so in this call.
    fsconfig_create(&context).map_err(|errno| match (&device, missing) {
        (_, Some(why)) => errors::refused(request, errno, why),
        (Some((_, device)), None) if request.fstype == "xfs" && errno == Errno::INVAL => match kinship::twin(device) {
            Some(why) => errors::refused(request, errno, why),
            None => refused(errno),
        },
        _ => refused(errno),
    })?;
    let tree = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, options.set).map_err(refused)?;
    // Still detached, so a wrong device was never visible to any process.
    if let Some((place, device)) = &device {
        must_hold(request, &tree, place, device.number)?;
    }
    Ok(tree)
}

/// Pins the device to mount. None for a file system that needs no device.
fn pin_source(request: MountCall<'_>) -> Result<Option<(PinnedPath, block::DeviceInfo)>, KernelError> {
    // Whether a module that is not loaded yet needs a device is not known, so the form of the source decides.
    let named = request.source.starts_with('/')
        || !matches!(block::DeviceSpec::parse(request.source), block::DeviceSpec::Path(_));
    match support(request.fstype)? {
        FilesystemSupport::Deviceless => return Ok(None),
        FilesystemSupport::Loadable if !named => return Ok(None),
        FilesystemSupport::OnDevice | FilesystemSupport::Loadable | FilesystemSupport::Unknown => {}
    }
    let pinned = block::pin(request.source, request.may_find)?;
    pinned.map(Some).ok_or_else(|| KernelError::NotFound(PathBuf::from(request.source)))
}

/// Sets an option. Returns what it pins: the kernel may open that by its name when it mounts.
fn set_parameter(
    request: MountCall<'_>,
    context: &OwnedFd,
    parameter: &MountParameter,
) -> Result<Vec<OwnedFd>, KernelError> {
    let mut pins = Vec::new();
    let (name, result) = match parameter {
        MountParameter::Flag(name) => (name, fsconfig_set_flag(context, name.as_str())),
        MountParameter::Value(name, value) if request.fstype == "overlay" && MountOptions::takes_path(name) => {
            return overlay::set_layers(request, context, name, value);
        }
        MountParameter::Value(name, value) if place::takes_device(request.fstype, name) => {
            let (path, pin) = place::pin_option(request, name, value)?;
            pins.push(pin);
            (name, fsconfig_set_string(context, name.as_str(), path))
        }
        MountParameter::Value(name, value) => (name, fsconfig_set_string(context, name.as_str(), value.as_str())),
    };
    result.map_err(|errno| match errno {
        Errno::INVAL => KernelError::Refused {
            doing: doing(request),
            why: format!("{} does not take the option {name}", request.fstype),
            errno,
        },
        _ => errors::explain(request, errno, &errors::messages(context)),
    })?;
    Ok(pins)
}

/// Checks that the mounted device is the pinned one. A file system such as btrfs has device numbers of its own, which prove
/// nothing: then the device's path must be one that no other user could have changed.
fn must_hold(
    request: MountCall<'_>,
    tree: &OwnedFd,
    place: &PinnedPath,
    device: (u32, u32),
) -> Result<(), KernelError> {
    let stat = rustix::fs::fstat(tree).map_err(KernelError::os(doing(request)))?;
    let mounted = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    // Major number 0 marks a device number that the file system has made up.
    if mounted == device || mounted.0 == 0 && place.trusted() {
        return Ok(());
    }
    Err(KernelError::Refused {
        doing: doing(request),
        why: format!("{} became another device meanwhile", request.source),
        errno: Errno::STALE,
    })
}

/// Moves the tree onto the pinned target, and undoes that if the target is elsewhere by now.
fn attach(request: MountCall<'_>, tree: &OwnedFd, target: &PinnedPath) -> Result<MadeMount, KernelError> {
    let by_descriptor = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, "", target.existing()?, "", by_descriptor)
        .map_err(|errno| errors::explain(request, errno, &[]))?;
    let landed = mount_id(tree).and_then(mountinfo::by_id);
    match landed {
        Ok(Some(info)) if info.target == target.path() => {
            let signature = MountSignature::of_opened(tree, &info);
            Ok(MadeMount { info, signature })
        }
        landed => {
            // By the descriptor of the mount, because its path may lead elsewhere by now. Lazily (MNT_DETACH), because
            // that very descriptor keeps the mount busy.
            let undone = unmount(descriptor_path(tree), UnmountFlags::DETACH);
            let place = landed.ok().flatten().map_or("nowhere".to_owned(), |mount| mount.target.display().to_string());
            let left = if undone.is_err() { ", and could not be undone" } else { "" };
            Err(KernelError::Refused {
                doing: doing(request),
                why: format!("the target moved meanwhile: it was mounted on {place}{left}"),
                errno: Errno::STALE,
            })
        }
    }
}

fn mount_id(tree: impl AsFd) -> Result<u64, KernelError> {
    let stat = rustix::fs::statx(tree, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
    stat.map(|stat| stat.stx_mnt_id).map_err(KernelError::os("read the number of a mount"))
}

/// How far an unmount may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnmountForce {
    /// Gives up what a server that does not answer was asked: MNT_FORCE of umount(2).
    pub abort: bool,
    /// Takes the mount out of the tree although it is in use: MNT_DETACH.
    pub detach: bool,
}

/// Unmounts the topmost mount of `target`, and returns it. Fails with EINVAL if there is none. EBUSY comes with what keeps it busy.
pub fn unmount_top(target: &Path) -> Result<MountInfo, KernelError> {
    let mounts = mountinfo::mounts_at(target)?;
    let top = mounts.last().ok_or_else(|| not_mounted(target))?;
    unmount_real(&top.target, UnmountForce::default())?;
    Ok(top.clone())
}

/// Unmounts the very mount, wherever its mount point is by now. Returns false if it is gone. A mount that another one hides is
/// EBUSY, as the kernel unmounts only what is on top.
pub fn unmount_this(id: u64, device: (u32, u32), force: UnmountForce) -> Result<bool, KernelError> {
    let mounts = mountinfo::read()?;
    let Some(mount) = mounts.iter().find(|mount| mount.id == id && mount.device == device) else { return Ok(false) };
    let top = mountinfo::stacked(&mounts, &mount.target).pop();
    if let Some(over) = top.filter(|top| top.id != id) {
        return Err(KernelError::Refused {
            doing: format!("unmount {}", mount.target.display()),
            why: format!("{} {} is mounted over it", over.fstype, over.source),
            errno: Errno::BUSY,
        });
    }
    let busy = match unmount_real(&mount.target, force) {
        Err(busy @ KernelError::Refused { errno: Errno::BUSY, .. }) => busy,
        unmounted => return unmounted.map(|()| true),
    };
    // Mounts that were made in the original of a bind since, and reached the copy: no resource made them, and they stay where they were made.
    let Some(copies) = mountinfo::copies_below(id)? else { return Err(busy) };
    for copy in copies {
        unmount_real(&copy.target, force)?;
    }
    unmount_real(&mount.target, force).map(|()| true)
}

fn unmount_real(real: &Path, force: UnmountForce) -> Result<(), KernelError> {
    let (parent, name) = match (real.parent(), real.file_name()) {
        (Some(parent), Some(name)) => (resolve(parent, LastLink::Follow)?, name),
        _ => return Err(KernelError::Invalid("the root of the system stays mounted".to_owned())),
    };
    // Held until the call is over, because the path goes through it. UMOUNT_NOFOLLOW covers the last component.
    let parent = parent.open(OFlags::PATH | OFlags::DIRECTORY)?;
    let mut flags = UnmountFlags::NOFOLLOW;
    flags.set(UnmountFlags::FORCE, force.abort);
    flags.set(UnmountFlags::DETACH, force.detach);
    unmount(descriptor_path(&parent).join(name), flags).map_err(|errno| {
        let doing = format!("unmount {}", real.display());
        match errno {
            Errno::BUSY => KernelError::Refused { doing, why: holders::of_mount(real), errno },
            Errno::INVAL => KernelError::Refused {
                doing,
                why: "it is not mounted here, or may not be unmounted from this mount namespace".into(),
                errno,
            },
            _ => KernelError::Os { doing, errno },
        }
    })
}

fn not_mounted(target: &Path) -> KernelError {
    KernelError::Refused {
        doing: format!("unmount {}", target.display()),
        why: "nothing is mounted there".to_owned(),
        errno: Errno::INVAL,
    }
}

/// The room in the file system of `target`. May never return if a network file system's server does not answer.
pub fn statfs(target: &Path) -> Result<FilesystemUsage, KernelError> {
    let place = resolve(target, LastLink::Follow)?;
    let stat =
        rustix::fs::fstatfs(place.existing()?).map_err(KernelError::os(format!("statfs {}", target.display())))?;
    let block = u64::try_from(if stat.f_frsize > 0 { stat.f_frsize } else { stat.f_bsize }).unwrap_or(0);
    Ok(FilesystemUsage { total: stat.f_blocks.saturating_mul(block), free: stat.f_bavail.saturating_mul(block) })
}
