//! Judges the places that a call of the kernel is about to use, on the thread that makes it: what counts is what was opened.

use std::path::PathBuf;
use std::sync::Arc;

use grant::op::ArgumentThing;
use grant::{Access, Operation};
use kernel::block::{DeviceInfo, names_of};

use super::CallContext;
use super::call_audit::CallRecorder;
use crate::CapabilityError;
use crate::holdings::ResourceLedger;
use crate::mount::{check_own_loop, is_foreign_loop};

/// The judge of one call. It outlives the future that asked for the call.
#[derive(Clone)]
pub(crate) struct PlaceJudge {
    recorder: Arc<CallRecorder>,
    ledger: ResourceLedger,
    /// The directory of the ledgers of all objects.
    ledgers: PathBuf,
    is_of_root: bool,
}

impl PlaceJudge {
    pub(super) fn of(context: &CallContext, recorder: Arc<CallRecorder>) -> PlaceJudge {
        let ledgers = context.paths().instance.holdings.all.clone();
        PlaceJudge { recorder, ledger: context.ledger(), ledgers, is_of_root: context.is_of_root() }
    }

    /// Judges an operation once more, about the place to which links have led.
    pub(crate) fn place(&self, op: &dyn Operation) -> Result<(), CapabilityError> {
        self.recorder.judge_place(op)
    }

    /// Judges an operation on a device under all names of the device. Its name was allowed, and who gives a device its names is root;
    /// but what is denied by one of them is denied.
    pub(crate) fn device<O: Operation>(
        &self,
        device: &DeviceInfo,
        under: impl Fn(String) -> O,
    ) -> Result<(), CapabilityError> {
        let names = || {
            let known = names_of(device.number);
            let own = std::iter::once(&device.path).filter(|own| !known.contains(own));
            own.chain(&known).map(|name| under(name.to_string_lossy().into_owned())).collect()
        };
        self.recorder.judge_names(names)
    }

    /// Judges a program by what its arguments lead to: under each spelling, and as if the host itself were to use those things.
    pub(crate) fn arguments(
        &self,
        op: &dyn Operation,
        spellings: &[(String, Vec<String>)],
        things: &[ArgumentThing],
        access: Access,
    ) -> Result<(), CapabilityError> {
        self.recorder.judge_arguments(op, spellings, things, access)
    }

    /// Judges a program with the places to which its arguments lead, by the policy of the namespace.
    pub(crate) fn argument_places(
        &self,
        op: &dyn Operation,
        there: &dyn Operation,
        led: &[(&str, &str)],
    ) -> Result<(), CapabilityError> {
        self.recorder.judge_argument_places(op, there, led)
    }

    /// Refuses the loop device of another object, and a partition of one.
    pub(crate) fn own_loop(&self, device: (u32, u32)) -> Result<(), CapabilityError> {
        if self.is_of_root { Ok(()) } else { check_own_loop(&self.ledger.ledger, device) }
    }

    /// Whether a search by label or UUID may find the device: not the loop device of another object, where anyone may have written the
    /// label. An object of `root` finds those of its own namespace, and those that no object attached.
    pub(crate) fn may_find(&self, device: (u32, u32)) -> bool {
        match self.is_of_root {
            true => !is_foreign_loop(&self.ledgers, device),
            false => self.own_loop(device).is_ok(),
        }
    }
}
