//! Makes the object of a volume from a pool of the node.

use capability::CapabilityError;
use capability::volume::VolumeCall;
use config::{Document, Pool, PoolKind, VolumeAccess, VolumeRequest};
use exec::blocking;
use model::ObjectPath;
use model::object::Topology;

use super::pools::usage_of;
use crate::agent::Agent;
use crate::{ChangeAuthor, ObjectFiles};

/// Makes the volume, unless it exists. False if it does.
pub(super) async fn make(
    agent: &Agent,
    call: &VolumeCall,
    words: &[(String, String)],
) -> Result<bool, CapabilityError> {
    let volume = call.volume()?;
    let (home, path) = (agent.home().clone(), volume.clone());
    if blocking(move || ObjectFiles::of(&home).exists(&path)).await {
        return Ok(false);
    }
    // Two nodes that made it at once would publish two texts, of which one replaces the other.
    if agent.node().shares_configurations && !call.is_on("leader") {
        let text = format!("{volume} does not exist here yet: the node that leads the provision makes it");
        return Err(CapabilityError::Other(text));
    }
    let request = VolumeRequest::of(words).map_err(|error| CapabilityError::Invalid(error.to_string()))?;
    let request = of_asker(agent, call, request).await?;
    let pools = agent.pools().await;
    let usages = usages(&pools, &request).await;
    let usage =
        |pool: &Pool| usages.iter().find(|(name, _)| *name == pool.name).map_or(Ok(None), |(_, usage)| usage.clone());
    let pool = Pool::choose(&pools, &request, usage).map_err(|error| CapabilityError::Other(error.to_string()))?;
    let text = text_of(agent, &volume, pool, &request).await?;
    // Before the object is made: one with errors would stay, and keep the corrected pool from making it anew.
    let errors: Vec<String> = agent
        .diagnose(&volume, &text)
        .await
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| format!("{}: {problem}", problem.position(&text)))
        .collect();
    if !errors.is_empty() {
        let text = format!("the pool {} makes a volume that does not work: {}", pool.name, errors.join("; "));
        return Err(CapabilityError::Other(text));
    }
    make_directory_of(pool).await?;
    let (home, path) = (agent.home().clone(), volume.clone());
    let by = ChangeAuthor::of_process(format!("provision of {}", call.asker()));
    let created = blocking(move || ObjectFiles::of(&home).by(&by).create(&path, &text)).await;
    created.map_err(|error| CapabilityError::Other(crate::chain(&error)))?;
    let text = format!("made {volume} from the pool {}", pool.name);
    call.log.line(Some(&call.subject.rid), driver::LogSeverity::Info, &text);
    Ok(true)
}

/// The request, with what the object that asks says of itself.
async fn of_asker(agent: &Agent, call: &VolumeCall, request: VolumeRequest) -> Result<VolumeRequest, CapabilityError> {
    let (asked, object) = (agent.clone(), call.subject.object.clone());
    let read = blocking(move || asked.configuration(&object)).await;
    let read = read.map_err(|error| CapabilityError::Other(crate::chain(&error)))?;
    let object = read.object().map_err(|error| CapabilityError::Other(error.to_string()))?;
    let resource = object.resource(&call.subject.rid);
    let is_flex = matches!(object.topology, Topology::Flex { .. });
    let access: VolumeAccess = if is_flex { request.access.of_many() } else { request.access };
    Ok(VolumeRequest {
        access,
        shared: resource.is_some_and(|resource| resource.shared),
        made_for: call.asker(),
        ..request
    })
}

/// How much the pools have, of those that could be meant.
async fn usages(pools: &[Pool], request: &VolumeRequest) -> Vec<(String, Result<Option<config::PoolUsage>, String>)> {
    let mut usages = Vec::new();
    let is_meant = |pool: &&Pool| request.pool.as_ref().is_none_or(|name| *name == pool.name);
    for pool in pools.iter().filter(is_meant).filter(|_| request.size.is_some()) {
        usages.push((pool.name.clone(), usage_of(pool).await));
    }
    usages
}

/// The directory of the pool is the node's, and not the volume's to make.
async fn make_directory_of(pool: &Pool) -> Result<(), CapabilityError> {
    let (PoolKind::Directory { path } | PoolKind::Loop { path } | PoolKind::Shm { path }) = &pool.kind else {
        return Ok(());
    };
    let path = std::path::PathBuf::from(path);
    let made = blocking(move || kernel::files::make_directory(&path, 0o755)).await;
    made.map(drop).map_err(|error| CapabilityError::Other(format!("the pool {}: {error}", pool.name)))
}

async fn text_of(
    agent: &Agent,
    volume: &ObjectPath,
    pool: &Pool,
    request: &VolumeRequest,
) -> Result<String, CapabilityError> {
    let template = match &pool.kind {
        PoolKind::Virtual { template, .. } => {
            let (home, template) = (agent.home().clone(), template.clone());
            blocking(move || ObjectFiles::of(&home).text(&template)).await.ok()
        }
        _ => None,
    };
    let fqdn = volume.fqdn(&agent.node().cluster);
    let text = pool.volume_text(&fqdn, request, template.as_deref());
    text.map_err(|error| CapabilityError::Other(error.to_string()))
}

/// The resource that a volume was made for, by its configuration.
pub(super) fn made_for(text: &str) -> Option<String> {
    Document::parse(text).get("labels", "made_for").map(str::to_owned)
}
