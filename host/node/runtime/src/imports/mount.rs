//! `wit/mount.wit`: mounts.

use std::time::Duration;

use bindings::driver::hostler::driver::mount::{Host, MountEntry, Request, Usage};
use capability::mount;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn mounts_at(&mut self, target: String) -> ImportAnswer<Vec<MountEntry>> {
        within_bounds!(target);
        answer(
            mount::mounts_at(&self.scope, &target).await.map(|found| found.into_iter().map(entry).collect::<Vec<_>>()),
        )
    }

    async fn supports(&mut self, fstype: String) -> ImportAnswer<bool> {
        within_bounds!(fstype);
        answer(mount::supports(&self.scope, &fstype).await)
    }

    async fn mount(&mut self, r: Request) -> ImportAnswer<()> {
        within_bounds!(r);
        let Request { source, target, fstype, options } = r;
        answer(mount::mount(&self.scope, mount::MountRequest { source, target, fstype, options }).await)
    }

    async fn unmount(&mut self, target: String) -> ImportAnswer<()> {
        within_bounds!(target);
        answer(mount::unmount(&self.scope, &target).await)
    }

    async fn errors_of(&mut self, target: String) -> ImportAnswer<Option<u64>> {
        within_bounds!(target);
        answer(mount::errors_of(&self.scope, &target).await)
    }

    async fn statfs(&mut self, target: String, timeout_ms: u64) -> ImportAnswer<Usage> {
        within_bounds!(target);
        let usage = mount::statfs(&self.scope, &target, Duration::from_millis(timeout_ms)).await;
        answer(usage.map(|mount::FilesystemUsage { total, free }| Usage { total, free }))
    }
}

fn entry(found: mount::MountEntry) -> MountEntry {
    let mount::MountEntry { source, root, target, fstype, options } = found;
    MountEntry { source, root, target, fstype, options }
}
