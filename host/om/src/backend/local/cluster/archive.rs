//! Backups of the engine.

use std::path::{Path, PathBuf};

use anyhow::Context;
use model::ObjectPath;

use super::LocalCluster;
use crate::backend::{Reply, block_on};

impl LocalCluster {
    /// Writes a backup. Returns its file, and how many entries it has.
    pub(crate) fn back_up(&self, file: Option<&Path>) -> Reply<(PathBuf, u64)> {
        let engine = self.engine()?;
        Ok(block_on(etcd::back_up(&self.place, &engine, file))?.context("cannot make a backup")?)
    }

    /// Brings configurations back: of these objects, or of all. Returns those that differ.
    pub(crate) fn restore(&self, file: &Path, objects: &[ObjectPath], dry_run: bool) -> Reply<Vec<ObjectPath>> {
        let engine = self.engine()?;
        let selects = |path: &ObjectPath| objects.is_empty() || objects.contains(path);
        Ok(block_on(etcd::restore(&engine, file, &selects, dry_run))?.context("cannot restore")?)
    }
}
