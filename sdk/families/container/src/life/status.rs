//! The status of a container: up if its program runs, with all that is not as it should be.

use hostler_sdk::{Result, Status};

use super::search::OwnContainers;
use crate::engine::ContainerPhase;
use crate::{ContainerInfo, ContainerLife, EngineClient};

impl ContainerLife<'_> {
    /// The status. Up means that the container runs; it exposes `id`, `pid` and `netns` then.
    pub fn status(&self) -> Result<Status> {
        let looked = self.place.connect().and_then(|engine| Ok((self.search(&engine)?, engine)));
        let image = &self.container.image;
        match looked {
            Ok((own, engine)) => {
                let elsewhere = self.elsewhere(&own)?;
                let status = self.status_of(&engine, own);
                Ok(elsewhere.iter().fold(status, |status, held| {
                    status.degraded(format!(
                        "{} runs, and not as configured: its engine is at {}",
                        held.label,
                        held.text("engine")
                    ))
                }))
            }
            // Without an answer of the engine there is nothing to compare, so a missing grant must not look like down.
            Err(error) if error.is_denied() => Err(error.into()),
            Err(error) if self.place.is_at_rest(&error)? => {
                Ok(Status::down().label(image).info("the object's container engine does not run"))
            }
            // The engine died although this resource needs it: containers survive it (--live-restore), so down would be a guess.
            Err(error) if self.is_own() && self.held()?.iter().any(|held| held.present) => {
                Ok(self.status_by_record(&error)?.label(image))
            }
            Err(_) if self.is_own() => {
                let text = "the object's container engine is gone, and may have left the container running: start or stop the resource to find out";
                Ok(Status::undefined(text).label(image))
            }
            Err(error) => Ok(self.status_by_record(&error)?.label(image)),
        }
    }

    fn status_of(&self, engine: &EngineClient, own: OwnContainers) -> Status {
        let status = match &own.first {
            Some(found) => self.status_of_container(engine, found),
            None => Status::down().label(&self.container.image),
        };
        let status = own.others.iter().filter(|other| other.phase().is_alive()).fold(status, |status, other| {
            let text = format!("a second container of this resource runs, {} ({})", other.name(), other.short_id());
            status.degraded(format!("{text}: stop the resource, and start it again"))
        });
        let status = match own.all().find_map(|found| Some((found, found.restart_policy()?))) {
            Some((found, policy)) => {
                let text = format!("the engine starts {} by itself, restart policy {policy}", found.short_id());
                status.warning(format!("{text}, which this agent did not set: a stop takes that back"))
            }
            None => status,
        };
        match &own.stranger {
            Some(stranger) => status.warning(self.foreign(stranger)),
            None => status,
        }
    }

    fn status_of_container(&self, engine: &EngineClient, found: &ContainerInfo) -> Status {
        let (state, id) = (&found.state, found.short_id());
        let label = format!("{id}@{}", self.container.image);
        let status = match found.phase() {
            // A container that was created and never started has no exit status worth showing.
            ContainerPhase::Created => return Status::down().label(label),
            ContainerPhase::Exited => return Status::down().label(label).info(state.exit_text()),
            ContainerPhase::Lost => {
                let text =
                    format!("the engine says that {id} is {}, but its process {} is gone", state.status, state.pid);
                return Status::down().label(label).warning(format!("{text}: a start makes it anew"));
            }
            ContainerPhase::Running => Status::up(),
            ContainerPhase::Stopping => Status::up().warning(format!("{id} is {}, and its program runs", state.status)),
            ContainerPhase::Paused | ContainerPhase::Restarting => {
                Status::up().degraded(format!("the container is {}", state.status))
            }
        };
        let status = match state.pid {
            0 => status,
            pid => status.exposes("pid", pid).exposes("netns", format!("/proc/{pid}/ns/net")),
        };
        let status = status.label(label).exposes("id", &found.id);
        if found.phase() == ContainerPhase::Running { self.with_faults(engine, found, status) } else { status }
    }

    /// The status of a container that runs, with what a restart would mend.
    fn with_faults(&self, engine: &EngineClient, found: &ContainerInfo, mut status: Status) -> Status {
        if let Some(illness) = found.state.illness() {
            status = status.degraded(illness);
        }
        if found.name() != self.name {
            let text = format!("the container is named {}, not {}", found.name(), self.name);
            status = status.warning(format!("{text}: restart to have it as configured"));
        }
        match self.namespace_fault(engine, found) {
            Ok(None) => {}
            // The configuration is not compared: the id of the other container is a part of it.
            Ok(Some(fault)) => return status.degraded(format!("{fault}: restart both")),
            Err(error) => return status.warning(error),
        }
        match self.change(engine, found) {
            Ok(None) => status,
            Ok(Some(change)) => status.warning(format!("{change}: restart to have it as configured")),
            // The container runs, so an image that cannot be inspected is only a warning.
            Err(error) => status.warning(error),
        }
    }
}
