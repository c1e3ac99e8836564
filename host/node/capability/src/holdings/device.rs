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

/// Takes down each device of that identity, whatever it is called, and then what was below it and only served it. False if there was none.
pub(super) fn take_down(held: &DeviceIdentity) -> Result<bool, CapabilityError> {
    let (mut taken, mut below) = (false, Vec::new());
    // Of a group of volumes, one may be below another: each round takes those that are free by then.
    loop {
        let there = block::stacked()?.into_iter().filter(|found| held.is(class_of(found.kind), &found.uuid));
        let (mut went, mut refused) = (false, None);
        for device in there {
            let made_of = block::below(&device);
            match block::take_down(&device) {
                Ok(undone) => {
                    below.extend(made_of.into_iter().filter(|inner| is_part_of(inner, &device)));
                    went |= undone;
                }
                Err(error) => refused = Some(error),
            }
        }
        taken |= went;
        match refused {
            None => break,
            // If none went in this round, none would go in the next.
            Some(error) if !went => return Err(error.into()),
            Some(_) => {}
        }
    }
    below.iter().for_each(clear_below);
    Ok(taken)
}

/// Takes down what only served a device that is gone. What is in use serves another one, too, and stays.
fn clear_below(device: &StackedDevice) {
    let made_of = block::below(device);
    if block::is_claimed(device.number) || !block::take_down(device).unwrap_or(false) {
        return;
    }
    made_of.iter().filter(|inner| is_part_of(inner, device)).for_each(clear_below);
}

/// Whether a device was made as a part of another one: LVM makes both, with the UUID of the group at the start of each one's.
fn is_part_of(inner: &StackedDevice, whole: &StackedDevice) -> bool {
    const GROUP: usize = "LVM-".len() + 32;
    let group = |device: &StackedDevice| device.uuid.get(..GROUP).map(str::to_owned);
    inner.uuid.starts_with("LVM-") && group(inner).is_some() && group(inner) == group(whole)
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
    let judge = context.place_judge();
    let identity = move |permit: grant::Permit<ReadDevice>| {
        let found = block::find_among(&permit.op().path, &|device| judge.may_find(device))?;
        let Some(device) = found else { return Ok(Effect::Nothing(None)) };
        judge.device(&device, |path| ReadDevice { path })?;
        let found = block::stacked_of(&device);
        let identity = found.map(|found| DeviceIdentity::new(class_of(found.kind), &found.uuid).to_string());
        Ok(Effect::Nothing(identity))
    };
    context.admit(op)?.blocking_at(Path::new(path), identity).await
}
