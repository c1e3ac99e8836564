//! `state`.

use bindings::driver::hostler::driver::state::Host;
use capability::state;

use super::{Answer, answer};
use crate::sandbox::State;

impl Host for State {
    async fn get(&mut self, scope: String, key: String) -> Answer<Option<String>> {
        answer(state::get(&self.scope, &scope, &key).await)
    }

    async fn set(&mut self, scope: String, key: String, value: String) -> Answer<()> {
        answer(state::set(&self.scope, &scope, &key, &value).await)
    }

    async fn remove(&mut self, scope: String, key: String) -> Answer<()> {
        answer(state::remove(&self.scope, &scope, &key).await)
    }
}
