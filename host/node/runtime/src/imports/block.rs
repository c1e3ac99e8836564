//! `wit/block.wit`: block devices and loop devices.

use std::time::Duration;

use bindings::driver::hostler::driver::block::{Device, Host, Signature};
use capability::block;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn find(&mut self, path: String) -> ImportAnswer<Option<Device>> {
        within_bounds!(path);
        answer(block::find(&self.scope, &path).await.map(|found| found.map(device)))
    }

    async fn wait_for(&mut self, path: String, timeout_ms: u64) -> ImportAnswer<Device> {
        within_bounds!(path);
        answer(block::wait_for(&self.scope, &path, Duration::from_millis(timeout_ms)).await.map(device))
    }

    async fn user_of(&mut self, path: String) -> ImportAnswer<Option<String>> {
        within_bounds!(path);
        answer(block::user_of(&self.scope, &path).await)
    }

    async fn probe(&mut self, path: String) -> ImportAnswer<Option<Signature>> {
        within_bounds!(path);
        answer(block::probe(&self.scope, &path).await.map(|found| found.map(signature)))
    }

    async fn identity_of(&mut self, path: String) -> ImportAnswer<Option<String>> {
        within_bounds!(path);
        answer(capability::holdings::identity_of(&self.scope, &path).await)
    }

    async fn loop_of(&mut self, file: String) -> ImportAnswer<Option<Device>> {
        within_bounds!(file);
        answer(block::loop_of(&self.scope, &file).await.map(|found| found.map(device)))
    }

    async fn attach_loop(&mut self, file: String, read_only: bool) -> ImportAnswer<Device> {
        within_bounds!(file);
        answer(block::attach_loop(&self.scope, &file, read_only).await.map(device))
    }

    async fn detach_loop(&mut self, file: String) -> ImportAnswer<bool> {
        within_bounds!(file);
        answer(block::detach_loop(&self.scope, &file).await)
    }
}

fn device(found: block::BlockDevice) -> Device {
    let block::BlockDevice { path, size, read_only } = found;
    Device { path, size, read_only }
}

fn signature(found: block::DeviceSignature) -> Signature {
    let block::DeviceSignature { kind, label, uuid, .. } = found;
    Signature { kind, label, uuid }
}
