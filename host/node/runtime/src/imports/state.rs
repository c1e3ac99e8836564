//! `wit/state.wit`: values that the host keeps for a resource.

use bindings::driver::hostler::driver::state::Host;
use capability::state;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn get(&mut self, scope: String, key: String) -> ImportAnswer<Option<String>> {
        within_bounds!(scope, key);
        answer(state::get(&self.scope, &scope, &key).await)
    }

    async fn set(&mut self, scope: String, key: String, value: String) -> ImportAnswer<()> {
        within_bounds!(scope, key, value);
        answer(state::set(&self.scope, &scope, &key, &value).await)
    }

    async fn remove(&mut self, scope: String, key: String) -> ImportAnswer<()> {
        within_bounds!(scope, key);
        answer(state::remove(&self.scope, &scope, &key).await)
    }
}
