//! Judges the places of a mount, as they were opened.

use std::cell::RefCell;

use grant::op::{MountFilesystem, MountFreedom};
use kernel::KernelError;
use kernel::mount::{DetachedMount, MadeMount, MountCall, MountPlace, MountWord};

use crate::CapabilityError;
use crate::call::PlaceJudge;

/// Mounts, with each place judged as it was opened, and the mount recorded before a path leads to it. A refusal of either comes back as
/// it is.
pub(super) fn mount(
    judge: &PlaceJudge,
    op: &MountFilesystem,
    options: &[MountWord<'_>],
    record: &dyn Fn(DetachedMount) -> Result<(), CapabilityError>,
) -> Result<MadeMount, CapabilityError> {
    // The kernel's functions pass on the words of a refusal only. It is kept here as it is, because the
    // line in it is looked up later.
    let refused = RefCell::new(None);
    let refuse = |why: CapabilityError| {
        let text = why.to_string();
        refused.replace(Some(why));
        KernelError::Invalid(text)
    };
    let asked = |place: MountPlace<'_>| check(judge, op, place).map_err(refuse);
    let prepared = |mount: DetachedMount| record(mount).map_err(refuse);
    let made = kernel::mount::mount(MountCall {
        source: &op.source,
        target: &op.target,
        fstype: &op.fstype,
        options,
        keeps_restrictions: op.freedom == MountFreedom::Namespace,
        may_find: &|device| judge.may_find(device),
        judge: &asked,
        prepared: &prepared,
    });
    match refused.take() {
        Some(denied) => Err(denied),
        None => Ok(made?),
    }
}

/// Refuses a place that the grants and the policies do not allow for this mount, or that a policy denies by another name.
fn check(judge: &PlaceJudge, op: &MountFilesystem, place: MountPlace<'_>) -> Result<(), CapabilityError> {
    match place {
        MountPlace::Target(real) if real != op.target => {
            judge.place(&MountFilesystem { target: real.to_owned(), ..op.clone() })
        }
        MountPlace::Shown(real) if real.as_os_str() != op.source.as_str() => {
            let there = MountFilesystem { source: real.to_string_lossy().into_owned(), ..op.clone() };
            judge.place(&there)?;
            there.shown().map_or(Ok(()), |shown| judge.place(&*shown))
        }
        MountPlace::Device(device) => {
            judge.own_loop(device.number)?;
            judge.device(device, |source| MountFilesystem { source, ..op.clone() })
        }
        MountPlace::Option { name, asked, real, device } => {
            if real != asked {
                judge.place(&*op.option_at(name, real))?;
            }
            device.map_or(Ok(()), |device| judge.own_loop(device.number))
        }
        MountPlace::Target(_) | MountPlace::Shown(_) => Ok(()),
    }
}
