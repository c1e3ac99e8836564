//! `log`.

use bindings::driver::hostler::driver::log::Host;

use crate::sandbox::State;

impl Host for State {
    async fn log(&mut self, level: String, text: String) -> wasmtime::Result<()> {
        capability::log::log(&self.scope, &level, &text);
        Ok(())
    }
}
