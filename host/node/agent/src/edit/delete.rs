//! Deleting an object, or sections of it. What is up or provisioned is not left behind, unless the caller forces it.

use std::time::Duration;

use model::ObjectPath;
use model::status::Provisioned;
use protocol::{ConfigChange, ConfigEdit, ConfigOutcome, ConfigTarget};

use super::ConfigError;
use crate::file::lock::{FileLock, LockError};
use crate::object::ObjectError;
use crate::status::{InstanceStatus, ResourceStatus};
use crate::{ActError, Agent, ChangeAuthor, ObjectFiles};
use exec::blocking;

/// Why an object is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// An action on the object is running, or its lock cannot be used.
    #[error("{0}")]
    Lock(ObjectPath, #[source] LockError),
    /// Its resources cannot be looked at.
    #[error(transparent)]
    Status(#[from] ActError),
    /// Resources are up, provisioned, or their drivers cannot answer.
    #[error("{object}: {used} (--unprovision undoes that first, --force leaves it as it is)")]
    Used { object: ObjectPath, used: String },
    /// Its files cannot be removed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Its configuration cannot be changed.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Agent {
    /// Deletes an object, or only these sections of its configuration.
    pub async fn delete(
        &self,
        path: &ObjectPath,
        sections: &[String],
        force: bool,
        by: &ChangeAuthor,
    ) -> Result<ConfigOutcome, DeleteError> {
        let action_lock = self.home().action_lock(path);
        let busy = |error| DeleteError::Lock(path.clone(), error);
        let lock = FileLock::take(&action_lock, "delete", Duration::ZERO).await.map_err(busy)?;
        if !force {
            self.refuse_if_used(path, sections).await?;
        }
        if sections.is_empty() {
            let (agent, object) = (self.clone(), path.clone());
            blocking(move || {
                ObjectFiles::of(agent.home()).delete(&object)?;
                // Only now: until then no action may find the object half deleted.
                lock.remove(&action_lock);
                Ok::<_, ObjectError>(())
            })
            .await?;
            return Ok(ConfigOutcome::Saved { notes: Vec::new() });
        }
        let edits = sections.iter().map(|section| ConfigEdit::DeleteSection { section: section.clone() }).collect();
        Ok(self.change_config(&ConfigTarget::Object(path.clone()), &ConfigChange { edits, force }, by).await?)
    }

    async fn refuse_if_used(&self, path: &ObjectPath, rids: &[String]) -> Result<(), DeleteError> {
        let instance = match self.status_anyhow(path).await {
            Ok(instance) => instance,
            // An object that never had a valid configuration never started anything.
            Err(ActError::Configuration(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut used = used(&instance, rids);
        // Also what is held for sections that are gone.
        let is_wanted = |rid: &String| rids.is_empty() || rids.contains(rid);
        let held = self.held_by(path).await.into_iter().filter(|held| is_wanted(&held.rid));
        let unsaid: Vec<String> = held
            // With the space behind it, as fs#1 must not stand for fs#10.
            .filter(|held| !used.iter().any(|said| said.starts_with(&format!("{} ", held.rid))))
            .map(|held| format!("{} holds {}", held.rid, held.label))
            .collect();
        used.extend(unsaid);
        match used.is_empty() {
            true => Ok(()),
            false => Err(DeleteError::Used { object: path.clone(), used: used.join(", ") }),
        }
    }
}

/// `fs#1 is up`, for every resource that would be left behind. No rids are all of them.
fn used(instance: &InstanceStatus, rids: &[String]) -> Vec<String> {
    let wanted = |resource: &&ResourceStatus| rids.is_empty() || rids.contains(&resource.rid.to_string());
    let word = |resource: &ResourceStatus| match resource.flags.provisioned {
        _ if resource.state.is_up() => Some(format!("{} is {}", resource.rid, resource.state)),
        Provisioned::True | Provisioned::Mixed => Some(format!("{} is provisioned", resource.rid)),
        _ => resource.fault.as_ref().map(|fault| format!("{} cannot answer: {fault}", resource.rid)),
    };
    instance.resources.iter().filter(wanted).filter_map(word).collect()
}
