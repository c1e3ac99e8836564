//! The ordinary actions on a volume, done for the resource of another object.

use capability::CapabilityError;
use capability::volume::{VolumeAction, VolumeCall, VolumeChange};
use driver::{CancelSignal, Change};
use exec::{ActionEnding, blocking};
use model::ObjectPath;
use plan::Action;
use protocol::DeleteOrder;

use super::make::made_for;
use super::users::VolumeUsers;
use crate::action::{ActionOutcome, ActionRequest, RequestOrigin};
use crate::agent::Agent;
use crate::{ChangeAuthor, ObjectFiles};

/// Does it. The users of the volume stay the same meanwhile.
pub(super) async fn act(
    agent: &Agent,
    call: &VolumeCall,
    action: VolumeAction,
    cancel: CancelSignal,
) -> Result<VolumeChange, CapabilityError> {
    let volume = call.volume()?;
    let users = VolumeUsers::lock(agent.home(), &volume, call).await?;
    match action {
        VolumeAction::Provision => done(agent, call, (&volume, Action::Provision), cancel).await,
        VolumeAction::Start => {
            // Before the start: without the note, the stop of another user would take down the volume that has just
            // come up. If the start fails, the note stays until the stop that follows it.
            users.add()?;
            done(agent, call, (&volume, Action::Start), cancel).await
        }
        VolumeAction::Stop => {
            let others = users.others();
            if !others.is_empty() {
                users.remove();
                let text = format!("{volume} stays up: {} uses it", others.join(", "));
                return Ok(VolumeChange { text, changed: true });
            }
            // The note goes last: what is not proven to be down is in use.
            let stopped = done(agent, call, (&volume, Action::Stop), cancel).await?;
            users.remove();
            Ok(stopped)
        }
        VolumeAction::Unprovision => unprovision(agent, call, &volume, &users, cancel).await,
    }
}

async fn unprovision(
    agent: &Agent,
    call: &VolumeCall,
    volume: &ObjectPath,
    users: &VolumeUsers,
    cancel: CancelSignal,
) -> Result<VolumeChange, CapabilityError> {
    let (home, path) = (agent.home().clone(), volume.clone());
    let text = blocking(move || ObjectFiles::of(&home).text(&path)).await;
    let text = text.map_err(|error| failed(volume, &error))?;
    // What an operator or another resource made is not this one's to destroy.
    if made_for(&text).as_deref() != Some(call.asker().as_str()) {
        return Ok(VolumeChange::default());
    }
    let others = users.others();
    if !others.is_empty() {
        let text = format!("{volume} is used by {}: stop that first", others.join(", "));
        return Err(CapabilityError::Other(text));
    }
    done(agent, call, (volume, Action::Unprovision), cancel).await?;
    users.remove();
    // The configuration is the leader's to delete, where the nodes share it: the others still unprovision by it.
    if agent.node().shares_configurations && !call.is_on("leader") {
        return Ok(VolumeChange { text: format!("unprovisioned {volume}"), changed: true });
    }
    let by = ChangeAuthor::of_process(format!("unprovision of {}", call.asker()));
    agent
        .delete(volume, &[], DeleteOrder { unprovisioned: true, ..DeleteOrder::default() }, &by)
        .await
        .map_err(|error| failed(volume, &error))?;
    Ok(VolumeChange { text: format!("unprovisioned and deleted {volume}"), changed: true })
}

/// Carries out an action on the volume. The error says which of its resources failed, and why.
async fn done(
    agent: &Agent,
    call: &VolumeCall,
    (volume, action): (&ObjectPath, Action),
    cancel: CancelSignal,
) -> Result<VolumeChange, CapabilityError> {
    let command = format!("{} for {}", action.as_str(), call.asker());
    let request = ActionRequest {
        force: call.is_on("force"),
        confirm: call.is_on("confirm"),
        adopt: call.is_on("adopt"),
        follows: !call.is_on("leader"),
        wait: Some(call.remaining),
        ..ActionRequest::new(action, RequestOrigin::Service, command)
    };
    let ActionOutcome { report, .. } =
        agent.act(volume, request, None, cancel).await.map_err(|error| failed(volume, &error))?;
    if report.ending != ActionEnding::Done {
        let errors = report.steps.iter().filter_map(|step| Some((step, step.end.error()?)));
        let mut why: Vec<String> =
            errors.map(|(step, error)| format!("{}: {}", step.rid, crate::chain(error))).collect();
        if why.is_empty() {
            why.push(report.ending.to_string());
        }
        let text = format!("{} of {volume}: {}", action.as_str(), why.join("; "));
        return Err(match report.ending {
            ActionEnding::Interrupted => CapabilityError::Cancelled,
            _ => CapabilityError::Other(text),
        });
    }
    let changed = report.steps.iter().any(|step| step.change == Change::Changed);
    let word = match action {
        Action::Provision => "provisioned",
        Action::Stop => "stopped",
        Action::Unprovision => "unprovisioned",
        _ => "started",
    };
    Ok(VolumeChange { text: if changed { format!("{word} {volume}") } else { String::new() }, changed })
}

fn failed(volume: &ObjectPath, error: &dyn std::error::Error) -> CapabilityError {
    CapabilityError::Other(format!("{volume}: {}", crate::chain(error)))
}
