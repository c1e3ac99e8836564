//! `wit/progress.wit`: progress and cancellation.

use bindings::driver::hostler::driver::progress::Host;

use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn report(&mut self, done: u64, total: Option<u64>, unit: String) -> wasmtime::Result<()> {
        // As with `log`, there is no error to answer with. Ten reports a second are passed on, and the others dropped.
        capability::progress::report(&self.scope, done, total, &unit);
        Ok(())
    }

    async fn should_cancel(&mut self) -> wasmtime::Result<bool> {
        Ok(capability::progress::should_cancel(&self.scope))
    }
}
