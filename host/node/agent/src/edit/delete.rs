//! Deleting an object, or sections of it. What is up or provisioned is not left behind, unless the caller forces it.

use std::time::Duration;

use config::{ConfigKey, Document};
use model::ObjectPath;
use model::status::Provisioned;
use protocol::{ConfigChange, ConfigEdit, ConfigOutcome, ConfigTarget, DeleteOrder};

use super::ConfigError;
use crate::file::lock::{FileLock, LockError};
use crate::object::ObjectError;
use crate::status::{InstanceStatus, ResourceStatus};
use crate::{ActError, Agent, ChangeAuthor, ObjectFiles, holdings};
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
    /// Something is held, and nothing could stop it any more.
    #[error(
        "{object}: it still holds {held} (stop it first; --force --i-know leaves it behind, where om node print holdings --orphans \
         lists it)"
    )]
    Held { object: ObjectPath, held: String },
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
        order: DeleteOrder,
        by: &ChangeAuthor,
    ) -> Result<ConfigOutcome, DeleteError> {
        let action_lock = self.home().action_lock(path);
        let busy = |error| DeleteError::Lock(path.clone(), error);
        let lock = FileLock::take(&action_lock, "delete", Duration::ZERO).await.map_err(busy)?;
        if !order.force {
            self.refuse_if_used(path, sections, order).await?;
        }
        if sections.is_empty() {
            // Also without --force: what is disabled is not asked.
            let left = self.held(path).await;
            if !left.is_empty() && !order.i_know {
                return Err(DeleteError::Held { object: path.clone(), held: left.join(", ") });
            }
            let (agent, object) = (self.clone(), path.clone());
            blocking(move || {
                ObjectFiles::of(agent.home()).delete(&object)?;
                // Only now: until then no action may find the object half deleted.
                lock.remove(&action_lock);
                Ok::<_, ObjectError>(())
            })
            .await?;
            let text = || format!("{path}: left behind: {} (om node print holdings --orphans)", left.join(", "));
            let notes = Vec::from_iter((!left.is_empty()).then(text));
            if !left.is_empty() {
                holdings::audit_left(self.home(), path, &left);
            }
            return Ok(ConfigOutcome::Saved { notes });
        }
        let edits = sections.iter().map(|section| ConfigEdit::DeleteSection { section: section.clone() }).collect();
        Ok(self
            .change_config(&ConfigTarget::Object(path.clone()), &ConfigChange { edits, force: order.force }, by)
            .await?)
    }

    async fn refuse_if_used(&self, path: &ObjectPath, rids: &[String], order: DeleteOrder) -> Result<(), DeleteError> {
        let instance = match self.status_anyhow(path).await {
            Ok(instance) => instance,
            // An object that never had a valid configuration never started anything.
            Err(ActError::Configuration(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let target = ConfigTarget::Object(path.clone());
        let document = Document::parse(&self.config_text(&target)?.text);
        // The section of disk#1 may be called vg#1.
        let section = |rid: &str| self.as_written(&target, &document, &ConfigKey::new(rid, "")).section;
        let wanted: Vec<String> = rids.iter().map(|rid| section(rid)).collect();
        let is_wanted = |rid: &str| rids.is_empty() || wanted.contains(&section(rid));
        let mut used = used(&instance, order.unprovisioned, |resource| is_wanted(&resource.rid.to_string()));
        // Also what is held for sections that are gone.
        let held = self.held_by(path).await.into_iter().filter(|held| is_wanted(&held.rid));
        let unsaid: Vec<String> = held
            // With the space behind it, as fs#1 must not stand for fs#10.
            .filter(|held| !used.iter().any(|said| said.starts_with(&format!("{} ", held.rid))))
            .map(|held| format!("{} holds {}", held.rid, held.label))
            .collect();
        used.extend(unsaid);
        used.extend(self.unverified(path).await.map(|why| format!("it may hold {why}")));
        match used.is_empty() {
            true => Ok(()),
            false => Err(DeleteError::Used { object: path.clone(), used: used.join(", ") }),
        }
    }
}

/// `fs#1 is up`, for every resource that would be left behind.
fn used(instance: &InstanceStatus, unprovisioned: bool, is_wanted: impl Fn(&ResourceStatus) -> bool) -> Vec<String> {
    let word = |resource: &ResourceStatus| match resource.flags.provisioned {
        _ if resource.state.is_up() => Some(format!("{} is {}", resource.rid, resource.state)),
        Provisioned::True | Provisioned::Mixed if !unprovisioned => Some(format!("{} is provisioned", resource.rid)),
        _ => resource.fault.as_ref().map(|fault| format!("{} cannot answer: {fault}", resource.rid)),
    };
    instance.resources.iter().filter(|resource| is_wanted(resource)).filter_map(word).collect()
}
