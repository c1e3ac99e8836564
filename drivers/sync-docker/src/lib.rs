//! `sync.docker`: copies images of docker to other nodes, so that a service that moves there need not pull them.
//!
//! A copy asks the engine of each target over ssh for the ids of its images, and sends those that differ in one stream, so that
//! they share layers: `docker save` here, `docker load` there. `full` sends all images without asking, `verify` asks without
//! sending. Status does not contact the targets: it reports what each of them had at the last sync. See docker-save(1),
//! docker-load(1), ssh(1).

mod engine;
mod seen;
#[macro_use]
mod words;

use hostler_family_container::{OwnEngine, is_reference, is_tagged};
use hostler_family_remote::ssh;
use hostler_sdk::each_target;
use hostler_sdk::prelude::*;

use crate::engine::EnginePair;
use crate::seen::KnownImages;

/// Images of docker that are copied to other nodes.
///
/// An image that the target already has under the same name is not sent. Nothing is removed from a target: if a new image takes
/// over a name, the old one stays without a name until `docker image prune`. Other nodes are reached in the same way as by
/// sync.rsync, and need docker(1) too.
#[derive(Keywords)]
struct ImageSync {
    /// The images to send, each with its tag: `[registry/]name:tag`. The images of containers of the object can be written as
    /// references, such as `{container#1.image}`.
    #[keyword(example = "mariadb:10.11 registry.example.com/web:2")]
    images: Vec<String>,
    /// The targets: `nodes` and `drpnodes` are the other nodes of the object.
    #[keyword(candidates("nodes", "drpnodes"), default = "nodes", example = "nodes drpnodes")]
    target: Vec<String>,
    /// The socket of the engine on every node.
    #[keyword(inherit, default = "/run/docker.sock")]
    socket: PathBuf,
    /// The data directory of the object's own engine: see container.docker. The images are then sent from that engine to the
    /// object's own engine on the target, which must run. By default the engines of the nodes are used.
    #[keyword(inherit, example = "/srv/{name}/docker")]
    container_data_dir: Option<PathBuf>,
    /// How long a copy to one target may take.
    #[keyword(default = "1h", example = "8h")]
    timeout: Duration,
}

/// The grant for one command of docker with the images of the keyword, on the node's engine or on the object's own.
macro_rules! docker {
    ($socket:literal, $command:literal) => {
        concat!("exec(read) = /usr/bin/docker -H unix://", $socket, " ", $command, " -- [ {kw:images} ]")
    };
}

#[driver(sync)]
impl Driver for ImageSync {
    const NAME: &str = "sync.docker";
    const GRANTS: &[&str] = &[
        docker!("{kw:socket}", "image inspect --format \"{{.Id}}\""),
        docker!("{kw:socket}", "save"),
        docker!("{rundir}/engine/docker.sock", "image inspect --format \"{{.Id}}\""),
        docker!("{rundir}/engine/docker.sock", "save"),
        concat!("exec(read) = ", ssh!(), " -- {peer} \"", look!(), "\""),
        concat!("exec = ", ssh!(), " -- {peer} \"", load!(), "\""),
        "files.write = {statedir}",
        "files.write = {statedir}/seen",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let problem = |text: String| Problem::new("images", text);
        if self.images.is_empty() {
            return Ok(vec![problem("no image is given".to_owned())]);
        }
        let wrong = |image: &String| match (is_reference(image), is_tagged(image)) {
            (false, _) => Some(problem(format!("{image:?} is not an image: expected [registry/]name:tag"))),
            (_, false) if image.contains('@') => {
                Some(problem(format!("{image} is a digest: use a tag, which the target keeps")))
            }
            (_, false) => {
                Some(problem(format!("{image} has no tag, and would mean all of them: write {image}:latest")))
            }
            _ => None,
        };
        Ok(self.images.iter().filter_map(wrong).collect())
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let seen = KnownImages::read(context)?;
        let others = [context.peers(), context.drp_peers()].concat();
        let status = Status::not_applicable().label(format!(
            "docker images {} to {}",
            self.images.join(", "),
            self.target.join(", ")
        ));
        let said = seen.nodes().filter(|node| others.contains(node)).fold(status, |status, node| {
            let lacking = seen.lacking(node, &self.images);
            match lacking.is_empty() {
                true => status.info(format!("{node} was last seen with all of them")),
                false => status.warning(format!("{node} was last seen without {}: need update", lacking.join(", "))),
            }
        });
        Ok(said)
    }
}

impl hostler_sdk::Sync for ImageSync {
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport> {
        Ok(self.sync_all(context, verb, &[target.to_owned()])?.remove(0))
    }

    fn sync_all(&self, context: &Context, verb: &str, targets: &[String]) -> Result<Vec<TargetReport>> {
        if !matches!(verb, "update" | "full" | "verify") {
            return Err(Error::Unsupported);
        }
        if let Some(problem) = self.validate(context)?.into_iter().next() {
            return Err(problem.into());
        }
        let engine = self.engine(context)?;
        // First of this node: an image that is missing here fails the copy before any target is asked.
        let ids = self.images.iter().map(|image| engine.id(image)).collect::<Result<Vec<String>>>()?;
        let mut seen = KnownImages::read(context)?;
        let reports = each_target(targets, |node| {
            let lacking = match verb {
                "full" => self.images.clone(),
                _ => self.lacking(&ids, &engine.ids(node, &self.images)?),
            };
            // Noted before the images are sent: if sending fails, status shows what the target lacks.
            seen.note(node, &self.images, &lacking);
            match verb {
                _ if lacking.is_empty() => Ok(TargetReport::unchanged(node)),
                "verify" => Err(Error::failed(format!("it lacks {}: send with sync update", lacking.join(", ")))),
                _ => {
                    log::info(format!("{node}: sending {}", lacking.join(", ")));
                    let bytes = engine.send(node, &lacking)?;
                    seen.note(node, &self.images, &[]);
                    Ok(TargetReport::copied(node, bytes))
                }
            }
        });
        // Also when an error ended the copies: what was seen of the targets before is known all the same.
        seen.write(context)?;
        reports
    }
}

impl ImageSync {
    fn engine(&self, context: &Context) -> Result<EnginePair> {
        let own = self.container_data_dir.as_ref().map(|data_dir| OwnEngine::of(context, data_dir)).transpose()?;
        let socket = own.as_ref().map_or(self.socket.as_path(), OwnEngine::socket);
        Ok(EnginePair { socket: socket.display().to_string(), is_own: own.is_some(), timeout: self.timeout })
    }

    /// The images that a node does not have under their names, in the order of the keyword.
    fn lacking(&self, ids: &[String], theirs: &[Option<String>]) -> Vec<String> {
        let pairs = self.images.iter().zip(ids.iter().zip(theirs));
        pairs.filter(|(_, (own, their))| their.as_ref() != Some(own)).map(|(image, _)| image.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
