//! The imports of `wit/progress.wit`.

use crate::fake::Host;

pub(crate) fn report(_done: u64, _total: Option<u64>, _unit: &str) {}

pub(crate) fn should_cancel() -> bool {
    Host::current("progress.should-cancel").change(|world| world.cancelled)
}
