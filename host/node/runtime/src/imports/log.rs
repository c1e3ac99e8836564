//! `wit/log.wit`: log lines.

use bindings::driver::hostler::driver::log::Host;

use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn log(&mut self, level: String, text: String) -> wasmtime::Result<()> {
        // Without `within_bounds!`, as the function has no error to answer with. The budget of
        // the call's log bounds each line.
        capability::log::log(&self.scope, &level, &text);
        Ok(())
    }
}
