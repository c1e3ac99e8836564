//! A driver whose resources are containers that live: it says where its engine is, and has all else from here.

use std::path::PathBuf;

use hostler_sdk::{Context, Keywords, Problem, Result};

use crate::{ContainerLife, ContainerSpec, EngineLocation};

/// A resource that is a container. [`container_driver!`](crate::container_driver) makes a driver of it.
pub trait ContainerResource: Keywords {
    /// What the container is to be.
    fn container(&self) -> &ContainerSpec;

    /// Where its engine is.
    fn place(&self, context: &Context) -> Result<EngineLocation>;

    /// What keywords hold that they cannot.
    fn problems(&self) -> Vec<Problem> {
        self.container().problems()
    }

    /// Its life.
    fn service<'a>(&'a self, context: &'a Context) -> Result<ContainerLife<'a>> {
        Ok(ContainerLife::new(self.container(), context, self.place(context)?))
    }

    /// Its life, if the keywords hold nothing that they cannot.
    fn checked<'a>(&'a self, context: &'a Context) -> Result<ContainerLife<'a>> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => self.service(context),
        }
    }
}

/// That an engine of the object's own is a dockerd, for drivers of others: said in DEFAULT, the keyword is about all containers.
pub fn refuse_own_engine(container_data_dir: Option<&PathBuf>) -> Option<Problem> {
    let text = "an engine of the object's own is a dockerd: use type = docker, or say it in the sections of those that do, and \
                not in DEFAULT";
    container_data_dir.map(|_| Problem::new("container_data_dir", text))
}

/// The driver of a [`ContainerResource`](crate::ContainerResource): its life and its consoles.
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
