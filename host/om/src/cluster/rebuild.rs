//! `om cluster rebuild`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use super::join::PAUSE;
use super::{accept, confirm_by_name, without_daemon};
use crate::backend::LocalCluster;
use crate::command::RebuildArgs;
use crate::exit::{self, Failure, Outcome};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{complain, print};

/// The others may be busy with another member, and the new one has to come into step.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &RebuildArgs) -> Outcome {
    let _claim = cluster.claim()?;
    if args.from_files { from_files(session, cluster, args) } else { from_others(session, cluster, args) }
}

fn from_others(session: &Session, cluster: &LocalCluster, args: &RebuildArgs) -> Outcome {
    let began = Instant::now();
    let until = began + args.time.unwrap_or(PATIENCE);
    let rebuilt = cluster.plan_rebuild(args.from.as_deref())?;
    let mut said = String::new();
    while let Some(reason) = cluster.rebuild(&rebuilt)? {
        if reason != said {
            session.note(&format!("waiting: {reason}"));
            said = reason;
        }
        if Instant::now() >= until {
            complain("the member is not there yet: om cluster rebuild again goes on with it");
            return Ok(ExitCode::from(exit::TIMED_OUT));
        }
        std::thread::sleep(PAUSE);
    }
    // The engine may be another one than this node knew.
    match cluster.is_witness() {
        // Its daemon is no member of the cluster, and finds the engine when it begins.
        true => without_daemon(session, || cluster.forget_engine())?,
        false => accept(session, cluster)?,
    }
    loop {
        if let Some(role) = cluster.role()? {
            let seconds = began.elapsed().as_secs_f64();
            let document = json!({ "cluster": rebuilt.roster.name, "role": role, "seconds": seconds });
            match structured(args.output.format, &document) {
                Some(text) => print(&text),
                None => session.note(&format!("engine: {role}, after {seconds:.1} s")),
            }
            return Ok(ExitCode::SUCCESS);
        }
        if Instant::now() >= until {
            complain("the member is not in step yet: om cluster status shows it");
            return Ok(ExitCode::from(exit::TIMED_OUT));
        }
        std::thread::sleep(PAUSE);
    }
}

fn from_files(session: &Session, cluster: &LocalCluster, args: &RebuildArgs) -> Outcome {
    let name = cluster.check_lost()?;
    session.note(&format!(
        "a new engine of the cluster {name} would begin with nothing. Daemons publish the configurations of their files in it, and \
         what runs in a slot goes on. Orders that have not ended are lost, and an object that was deleted while one of its nodes was \
         away comes back"
    ));
    if !args.others_are_off {
        let text = "two engines would answer if a member of the old one came back: when none runs any more, say --others-are-off";
        return Err(Failure::failed(text.to_owned()));
    }
    if !args.confirm {
        confirm_by_name(&name, "--confirm")?;
    }
    let began = Instant::now();
    let (generation, missing) = cluster.begin_from_files()?;
    // Before the recovery counts as complete: a command that is killed in between goes on when it is given again, and
    // is not refused because an engine answers.
    accept(session, cluster)?;
    cluster.end_recovery()?;
    let seconds = began.elapsed().as_secs_f64();
    let document = json!({ "cluster": name, "generation": generation, "unknown": missing, "seconds": seconds });
    if let Some(text) = structured(args.output.format, &document) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    session.note(&format!("the new engine has begun: generation {generation}, after {seconds:.1} s"));
    session.note("on each other node: om cluster rebuild --from this one");
    if !missing.is_empty() {
        let nodes = missing.join(", ");
        session.note(&format!("the address of {nodes} is not known here: om cluster leave there, and om cluster join"));
    }
    Ok(ExitCode::SUCCESS)
}
