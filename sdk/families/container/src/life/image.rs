//! The image of a container: there already, pulled, or missing.

use hostler_sdk::{Error, Result, log};

use super::keywords::PullPolicy;
use crate::engine::RegistryCredentials;
use crate::{ContainerLife, EngineClient};

impl ContainerLife<'_> {
    /// Pulls the image if the policy requires it. True if it was pulled.
    pub(crate) fn pull(&self, engine: &EngineClient) -> Result<bool> {
        let image = &self.container.image;
        let policy = self.container.pull();
        let is_there = engine.image(image)?.is_some();
        // With the policy `never` an image must be loaded by the operator; a pull would break an air gap.
        if policy == PullPolicy::Never && !is_there {
            let text = format!("the engine has no image {image}, and image_pull_policy is never: load it, or pull it");
            return Err(Error::failed(text));
        }
        if policy == PullPolicy::Never || (policy == PullPolicy::Once && is_there) {
            return Ok(false);
        }
        log::info(format!("pulling {image}"));
        let timeout = self.container.pull_timeout.min(self.context.deadline);
        let file = self.container.registry_creds.as_deref();
        let credentials = file.map(|file| RegistryCredentials::read(file, image)).transpose()?;
        // The advice depends on whether credentials are configured: wrong ones, or none.
        match (engine.pull(image, credentials.as_ref(), timeout), file) {
            (Ok(()), _) => Ok(true),
            (Err(error), _) if error.is_denied() => Err(error.into()),
            (Err(error), Some(file)) if error.is_unauthorized() => {
                Err(Error::failed(format!("{error} (check the credentials in {})", file.display())))
            }
            (Err(error), None) if error.is_unauthorized() => Err(Error::failed(format!(
                "{error} (its registry requires a login: name a file with credentials in registry_creds)"
            ))),
            (Err(error), _) => Err(Error::failed(format!("{error} (load it into the engine, or check its registry)"))),
        }
    }
}
