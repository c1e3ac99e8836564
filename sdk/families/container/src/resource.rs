//! Drivers whose containers keep running: a driver says where its engine is, and gets its verbs from here.

use std::path::PathBuf;

use hostler_sdk::{Context, Keywords, Problem, Result};

use crate::{ContainerLife, ContainerSpec, EngineLocation};

/// A resource that is a container. [`container_driver!`](crate::container_driver) makes it a driver.
pub trait ContainerResource: Keywords {
    /// The keywords of the container.
    fn container(&self) -> &ContainerSpec;

    /// The location of its engine.
    fn place(&self, context: &Context) -> Result<EngineLocation>;

    /// The problems of the keywords.
    fn problems(&self) -> Vec<Problem> {
        self.container().problems()
    }

    /// The functions for its verbs.
    fn service<'a>(&'a self, context: &'a Context) -> Result<ContainerLife<'a>> {
        Ok(ContainerLife::new(self.container(), context, self.place(context)?))
    }

    /// The functions for its verbs, if the keywords have no problems.
    fn checked<'a>(&'a self, context: &'a Context) -> Result<ContainerLife<'a>> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => self.service(context),
        }
    }
}

/// The problem of drivers that do not use docker with `container_data_dir`. If the keyword is in DEFAULT, it applies to all
/// containers of the object.
pub fn refuse_own_engine(container_data_dir: Option<&PathBuf>) -> Option<Problem> {
    let text = "an engine of the object's own is a dockerd: use type = docker, or set it in the sections that do, and \
                not in DEFAULT";
    container_data_dir.map(|_| Problem::new("container_data_dir", text))
}

/// Implements `Driver` and `Console` for a [`ContainerResource`](crate::ContainerResource).
#[macro_export]
macro_rules! container_driver {
    ($driver:ident, $name:literal, $grants:expr) => {
        #[::hostler_sdk::driver(console)]
        impl ::hostler_sdk::Driver for $driver {
            const NAME: &str = $name;
            const GRANTS: &[&str] = $grants;

            fn validate(&self, _: &::hostler_sdk::Context) -> ::hostler_sdk::Result<Vec<::hostler_sdk::Problem>> {
                Ok($crate::ContainerResource::problems(self))
            }

            fn status(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Status> {
                $crate::ContainerResource::service(self, context)?.status()
            }

            fn start(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::ContainerResource::checked(self, context)?.start()
            }

            fn stop(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::ContainerResource::service(self, context)?.stop()
            }

            fn provision(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::ContainerResource::checked(self, context)?.provision()
            }

            fn unprovision(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Outcome> {
                $crate::ContainerResource::service(self, context)?.unprovision()
            }
        }

        impl ::hostler_sdk::Console for $driver {
            fn enter(&self, context: &::hostler_sdk::Context) -> ::hostler_sdk::Result<::hostler_sdk::Attachment> {
                $crate::ContainerResource::service(self, context)?.enter()
            }

            fn exec(
                &self,
                context: &::hostler_sdk::Context,
                argv: &[String],
            ) -> ::hostler_sdk::Result<::hostler_sdk::Attachment> {
                $crate::ContainerResource::service(self, context)?.exec(argv)
            }

            fn logs(
                &self,
                context: &::hostler_sdk::Context,
                follow: bool,
            ) -> ::hostler_sdk::Result<::hostler_sdk::Attachment> {
                $crate::ContainerResource::service(self, context)?.logs(follow)
            }
        }
    };
}
