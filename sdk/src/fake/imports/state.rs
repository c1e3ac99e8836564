//! The imports of `wit/state.wit`.

use super::ImportResult;
use crate::fake::Host;

pub(crate) fn get(scope: &str, key: &str) -> ImportResult<Option<String>> {
    let slot = (scope.to_owned(), key.to_owned());
    Host::read("state.get", key, |world| Ok(world.state.get(&slot).cloned()))
}

pub(crate) fn set(scope: &str, key: &str, value: &str) -> ImportResult<()> {
    let slot = (scope.to_owned(), key.to_owned());
    Host::mutate("state.set", key, |world| {
        // state.set does not count as a change: the host does not count it either.
        world.state.insert(slot, value.to_owned());
        Ok(())
    })
}

pub(crate) fn remove(scope: &str, key: &str) -> ImportResult<()> {
    let slot = (scope.to_owned(), key.to_owned());
    Host::mutate("state.remove", key, |world| {
        world.state.remove(&slot);
        Ok(())
    })
}
