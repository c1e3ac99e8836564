//! `om cluster evict`, `om cluster accept-engine`.

use std::process::ExitCode;
use std::time::Duration;

use etcd::{EngineWord, SeenNode};
use protocol::daemon::EvictRequest;
use serde_json::json;

use super::{accept, confirm_by_name};
use crate::backend::{LocalCluster, block_on};
use crate::command::{AcceptEngineArgs, EvictArgs};
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{print, warn};

/// A node that lives sends a beat each second.
const BEATS: Duration = Duration::from_millis(2_500);

pub(super) fn evict(session: &Session, cluster: &LocalCluster, args: &EvictArgs) -> Outcome {
    let (name, seen) = cluster.look_at_node(&args.node)?;
    if seen.alive {
        std::thread::sleep(BEATS);
        let later = cluster.look_at_node(&args.node)?.1;
        // By what the beats say, not by their times: the clocks of two nodes need not agree.
        if later.alive && (later.life, later.beat) != (seen.life, seen.beat) {
            let text = format!("{name} sends beats, so it lives: om daemon stop --drain there ends its services");
            return Err(Failure::failed(text));
        }
        session.note(&words(&seen));
        if !args.services_are_stopped {
            let text = format!(
                "if you know that none of them runs on {name}, and none will before its daemon is back, say \
                                --services-are-stopped"
            );
            return Err(Failure::failed(text));
        }
        if !args.confirm {
            confirm_by_name(name.as_str(), "--confirm")?;
        }
        // By what was shown: a node that came back meanwhile keeps its life.
        block_on(
            session.daemon().client.evict(&name, &EvictRequest { life: seen.life, beat: seen.beat, fenced: false }),
        )??;
    }
    // The life has ended, whatever becomes of its vote.
    let member = match cluster.remove_silent_member(&name) {
        Ok(member) => member,
        Err(error) => {
            warn(&format!("{:#}", error.error));
            None
        }
    };
    let document = json!({ "node": seen.node, "evicted": seen.alive, "slots": seen.slots, "removed_member": member });
    if let Some(text) = structured(args.output.format, &document) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    session.note(&match seen.alive {
        true => format!("the life of {name} has ended: other nodes may take what it had"),
        false => format!("the life of {name} had ended before"),
    });
    if let Some(member) = member {
        session.note(&format!("{member} was removed from the engine: om cluster rebuild on {name}, if it comes back"));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(seen: &SeenNode) -> String {
    let node = &seen.node;
    let beat = match seen.pinned {
        true => format!("the last beat of {node} says that its services go on without its daemon"),
        false => format!("{node} has sent no beat for {:.1} s", BEATS.as_secs_f64()),
    };
    let slots = match seen.slots.is_empty() {
        true => "it has the slot of no object".to_owned(),
        false => format!("it has the slots of {}: what still runs of them would run twice", seen.slots.join(", ")),
    };
    format!("{beat}; {slots}")
}

pub(super) fn accept_engine(session: &Session, cluster: &LocalCluster, args: &AcceptEngineArgs) -> Outcome {
    let _claim = cluster.claim()?;
    let (name, comparison) = cluster.compare_engine()?;
    let format = args.output.format;
    let mut generation = comparison.found.generation;
    if comparison.accepted {
        session.note("the engine that answers is the one that this node knows: there is nothing to accept");
    } else {
        let word =
            |word: &EngineWord| format!("id {}, generation {}, revision {}", word.id, word.generation, word.revision);
        session.note(&format!("this node knows an engine with {}", word(&comparison.known)));
        session.note(&format!("the one that answers has {}", word(&comparison.found)));
        session.note(
            "what is missing in it is lost, but for the configurations that nodes have in their files. Services go on",
        );
        if !args.confirm {
            confirm_by_name(&name, "--confirm")?;
        }
        // The engine first: with a generation behind all that this node knows, the other nodes take it as well.
        generation = cluster.accept_generation()?;
        accept(session, cluster)?;
        session.note(&format!("the engine was accepted: generation {generation}"));
    }
    let document = json!({
        "cluster": name, "known": comparison.known, "found": comparison.found, "generation": generation,
        "changed": !comparison.accepted,
    });
    if let Some(text) = structured(format, &document) {
        print(&text);
    }
    Ok(ExitCode::SUCCESS)
}
