//! `wit/files.wit`: files and directories.

use bindings::driver::hostler::driver::files::{Host, Metadata};
use capability::files;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn stat(&mut self, path: String) -> ImportAnswer<Option<Metadata>> {
        within_bounds!(path);
        answer(files::stat(&self.scope, &path).await.map(|found| found.map(metadata)))
    }

    async fn real_path(&mut self, path: String) -> ImportAnswer<Option<String>> {
        within_bounds!(path);
        answer(files::real_path(&self.scope, &path).await)
    }

    async fn read(&mut self, path: String) -> ImportAnswer<Vec<u8>> {
        within_bounds!(path);
        answer(files::read(&self.scope, &path).await)
    }

    async fn list_directory(&mut self, path: String) -> ImportAnswer<Vec<String>> {
        within_bounds!(path);
        answer(files::list_directory(&self.scope, &path).await)
    }

    async fn write(&mut self, path: String, content: Vec<u8>, mode: u32) -> ImportAnswer<()> {
        within_bounds!(path, content);
        answer(files::write(&self.scope, &path, content, mode).await)
    }

    async fn allocate(&mut self, path: String, size: u64) -> ImportAnswer<()> {
        within_bounds!(path);
        answer(files::allocate(&self.scope, &path, size).await)
    }

    async fn make_directory(&mut self, path: String, mode: u32) -> ImportAnswer<bool> {
        within_bounds!(path);
        answer(files::make_directory(&self.scope, &path, mode).await)
    }

    async fn remove(&mut self, path: String) -> ImportAnswer<bool> {
        within_bounds!(path);
        answer(files::remove(&self.scope, &path).await)
    }

    async fn remove_tree(&mut self, path: String) -> ImportAnswer<bool> {
        within_bounds!(path);
        answer(files::remove_tree(&self.scope, &path).await)
    }

    async fn set_mode(&mut self, path: String, mode: u32) -> ImportAnswer<()> {
        within_bounds!(path);
        answer(files::set_mode(&self.scope, &path, mode).await)
    }

    async fn set_owner(&mut self, path: String, user: Option<String>, group: Option<String>) -> ImportAnswer<()> {
        within_bounds!(path, user, group);
        answer(files::set_owner(&self.scope, &path, user, group).await)
    }
}

fn metadata(found: files::FileMetadata) -> Metadata {
    Metadata {
        kind: found.kind.to_owned(),
        size: found.size,
        mode: found.mode,
        uid: found.uid,
        gid: found.gid,
        user: found.user,
        group: found.group,
        device: found.device,
        inode: found.inode,
    }
}
