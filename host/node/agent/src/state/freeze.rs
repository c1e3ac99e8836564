//! A frozen instance is left alone by the daemon until it is thawed. The presence of the file counts, so that a torn file still
//! freezes.

use jiff::Timestamp;

use super::InstanceState;
use crate::file::durable::{self, FileError};

/// Whether an instance is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezeState {
    /// Automatic actions may touch it.
    No,
    /// It is frozen. Since when is unknown if the file is torn.
    Since(Option<Timestamp>),
}

impl InstanceState {
    /// Whether it is frozen.
    pub fn frozen(&self) -> Result<FreezeState, FileError> {
        let content = durable::read(&self.directory.join("frozen"))?;
        Ok(content.map_or(FreezeState::No, |content| {
            FreezeState::Since(std::str::from_utf8(&content).ok().and_then(|since| since.trim().parse().ok()))
        }))
    }

    /// Freezes it. Returns whether that changed anything.
    pub fn freeze(&self, now: Timestamp) -> Result<bool, FileError> {
        let thawed = self.frozen()? == FreezeState::No;
        // A second freeze must not move the time since when it is frozen.
        if thawed {
            durable::write(&self.directory.join("frozen"), format!("{now}\n").as_bytes())?;
        }
        Ok(thawed)
    }

    /// Thaws it. Returns whether it was frozen.
    pub fn thaw(&self) -> Result<bool, FileError> {
        durable::remove(&self.directory.join("frozen"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn an_instance_is_frozen_until_it_is_thawed() {
        let (_root, web) = web();
        let (first, second) = (Timestamp::constant(1_000, 0), Timestamp::constant(2_000, 0));
        assert_eq!(web.frozen().unwrap(), FreezeState::No);
        assert!(!web.thaw().unwrap());
        assert!(web.freeze(first).unwrap());
        assert!(!web.freeze(second).unwrap());
        assert_eq!(web.frozen().unwrap(), FreezeState::Since(Some(first)));
        assert!(web.thaw().unwrap());
        assert_eq!(web.frozen().unwrap(), FreezeState::No);
    }

    #[test]
    fn a_torn_file_still_freezes() {
        let (_root, web) = web();
        durable::write(&web.directory.join("frozen"), b"").unwrap();
        assert_eq!(web.frozen().unwrap(), FreezeState::Since(None));
    }
}
