//! The last valid version of an object's configuration. It stays in use while the file in `etc` has errors.

use super::InstanceState;
use crate::file::durable::{self, FileError};

impl InstanceState {
    /// The last valid version, if there ever was one.
    pub fn last_good(&self) -> Result<Option<String>, FileError> {
        Ok(durable::read(&self.directory.join("last-good.conf"))?.and_then(|text| String::from_utf8(text).ok()))
    }

    /// Remembers a valid version. A version that is known already is not written again. Returns whether it is another one.
    pub fn set_last_good(&self, text: &str) -> Result<bool, FileError> {
        // Each look at an instance comes here, and a write waits for the disk.
        if self.last_good()?.as_deref() == Some(text) {
            return Ok(false);
        }
        durable::write(&self.directory.join("last-good.conf"), text.as_bytes()).map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;

    #[test]
    fn the_last_good_configuration_is_kept_and_not_written_twice() {
        let (_root, web) = web();
        assert_eq!(web.last_good().unwrap(), None);
        web.set_last_good("[fs#1]\n").unwrap();
        let written = std::fs::metadata(web.directory.join("last-good.conf")).unwrap();
        web.set_last_good("[fs#1]\n").unwrap();
        let again = std::fs::metadata(web.directory.join("last-good.conf")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::ino(&written), std::os::unix::fs::MetadataExt::ino(&again));
        assert_eq!(web.last_good().unwrap().as_deref(), Some("[fs#1]\n"));
    }
}
