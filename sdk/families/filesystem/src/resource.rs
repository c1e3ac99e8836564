//! Drivers of file systems on block devices: a driver names the kind and the device, and gets its verbs from here.

use hostler_sdk::Keywords;

use crate::{FilesystemKind, VolumeFilesystem, VolumeKeywords};

/// A resource that is a file system on a block device. [`filesystem_driver!`](crate::filesystem_driver) makes it a driver.
pub trait VolumeResource: Keywords {
    /// The kind of file system.
    const KIND: &'static FilesystemKind;

    /// The device and the mount point.
    fn volume(&self) -> &VolumeKeywords;

    /// The file system with its mount options. A driver with options of its own overrides this.
    fn on_volume(&self) -> VolumeFilesystem<'_> {
        self.volume().of(Self::KIND)
    }
}

/// Implements `Driver` for a [`VolumeResource`](crate::VolumeResource).
#[macro_export]
macro_rules! filesystem_driver {
    ($driver:ident, $name:literal, $grants:expr) => {
        #[::hostler_sdk::driver]
        impl ::hostler_sdk::Driver for $driver {
            const NAME: &str = $name;
            const GRANTS: &[&str] = $grants;

            fn validate(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<Vec<::hostler_sdk::Problem>> {
                Ok($crate::VolumeResource::on_volume(self).validate())
            }

            fn status(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Status> {
                $crate::VolumeResource::on_volume(self).status()
            }

            fn start(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::VolumeResource::on_volume(self).start(context)
            }

            fn stop(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::VolumeResource::on_volume(self).stop()
            }

            fn provision(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::VolumeResource::on_volume(self).provision()
            }

            fn unprovision(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::VolumeResource::on_volume(self).unprovision()
            }
        }
    };
}
