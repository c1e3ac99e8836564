//! Looks at devices that drivers declared: those of device-mapper, and arrays, by the UUIDs that the kernel shows.

use std::path::Path;

use grant::op::ReadDevice;
use holding::{DeviceClass, DeviceIdentity};
use kernel::block::{self, StackedDevice, StackedKind};

use super::look::HoldingPresence;
use crate::{CallContext, CapabilityError, Effect};

/// What the kernel says of such devices. It is asked once, and only for those who hold one.
#[derive(Default)]
pub(super) struct DeviceLook(Option<Result<Vec<StackedDevice>, String>>);

impl DeviceLook {
    pub(super) fn presence(&mut self, held: &DeviceIdentity) -> HoldingPresence {
        let listed = self.0.get_or_insert_with(|| block::stacked().map_err(|error| error.to_string()));
        let listed = match listed {
            Ok(listed) => listed,
            Err(why) => return HoldingPresence::unknown(why),
        };
        // Several, for a group of volumes.
        let there = listed.iter().filter(|found| held.is(class_of(found.kind), &found.uuid));
        let paths: Vec<_> = there.map(|found| ("device", found.path.to_string_lossy().into_owned())).collect();
        if paths.is_empty() { HoldingPresence::Gone } else { HoldingPresence::Present(paths) }
    }
}

fn class_of(kind: StackedKind) -> DeviceClass {
    match kind {
        StackedKind::DeviceMapper => DeviceClass::Mapped,
        StackedKind::Array => DeviceClass::Array,
    }
}

/// The id with which the device at a path is declared. None if it has no UUID of its own in the kernel, or does not exist.
pub async fn identity_of(context: &CallContext, path: &str) -> Result<Option<String>, CapabilityError> {
    let op = ReadDevice { path: path.to_owned() };
    let identity = |permit: grant::Permit<ReadDevice>| {
        let found = block::stacked_at(&permit.op().path)?;
        let identity = found.map(|found| DeviceIdentity::new(class_of(found.kind), &found.uuid).to_string());
        Ok(Effect::Nothing(identity))
    };
    context.admit(op)?.blocking_at(Path::new(path), identity).await
}
