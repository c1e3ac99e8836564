//! The capabilities that a program keeps, see capabilities(7).

use std::io;
use std::str::FromStr;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities,
};

/// The most capabilities that a program, and every program that it starts, can ever have.
///
/// They matter for programs of root. A program of another user starts without any; for it the bounds limit what a
/// set-user-id program could give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapabilityBounds {
    /// Everything that the agent has, and what set-user-id programs give: for a service's own commands.
    Unbounded,
    /// These at most, and no new privileges by set-user-id programs.
    Only(CapabilitySet),
}

impl CapabilityBounds {
    /// No capability at all.
    pub const NONE: CapabilityBounds = CapabilityBounds::Only(CapabilitySet::empty());

    /// Whether the program may do what Landlock refuses to every program under it: mount(2).
    pub fn may_mount(self) -> bool {
        match self {
            CapabilityBounds::Unbounded => true,
            CapabilityBounds::Only(keep) => keep.contains(CapabilitySet::SYS_ADMIN),
        }
    }
}

/// The kernel has no such capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no capability {0:?}")]
pub struct UnknownCapability(pub String);

impl FromStr for CapabilityBounds {
    type Err = UnknownCapability;

    /// Parses names such as `cap_net_admin`, joined by `+`. The empty string means none, `all` means unbounded.
    fn from_str(text: &str) -> Result<CapabilityBounds, UnknownCapability> {
        if text == "all" {
            return Ok(CapabilityBounds::Unbounded);
        }
        let names = text.split('+').filter(|name| !name.is_empty());
        names
            .map(|name| {
                let upper = name.strip_prefix("cap_").map(str::to_ascii_uppercase);
                upper.and_then(|name| CapabilitySet::from_name(&name)).ok_or_else(|| UnknownCapability(name.to_owned()))
            })
            .collect::<Result<CapabilitySet, _>>()
            .map(CapabilityBounds::Only)
    }
}

/// Narrows the calling thread's bounding set. Runs between fork and exec: system calls only.
pub(super) fn drop_bounding_set(keep: CapabilitySet) -> io::Result<()> {
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if keep.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            // Past the last capability that this kernel has.
            Err(Errno::INVAL) => break,
            // A process without capabilities may not drop any from the set. That is harmless: with no_new_privs it never
            // gets one.
            Err(Errno::PERM) if capabilities(None)?.permitted.is_empty() => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Drops the capabilities that exec(2) would keep whatever the bounding set says. Runs between fork and exec: system
/// calls only.
pub(super) fn drop_inheritable() -> io::Result<()> {
    clear_ambient_capability_set()?;
    let sets = capabilities(None)?;
    set_capabilities(None, CapabilitySets { inheritable: CapabilitySet::empty(), ..sets })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_the_kernels_names() {
        assert_eq!("".parse(), Ok(CapabilityBounds::NONE));
        assert_eq!("all".parse(), Ok(CapabilityBounds::Unbounded));
        let both = CapabilitySet::NET_ADMIN | CapabilitySet::SYS_ADMIN;
        assert_eq!("cap_net_admin+cap_sys_admin".parse(), Ok(CapabilityBounds::Only(both)));
        assert_eq!("net_admin".parse::<CapabilityBounds>(), Err(UnknownCapability("net_admin".into())));
        assert_eq!("cap_fly".parse::<CapabilityBounds>(), Err(UnknownCapability("cap_fly".into())));
    }
}
