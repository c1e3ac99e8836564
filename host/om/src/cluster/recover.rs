//! `om cluster recover`.

use std::process::ExitCode;
use std::time::Instant;

use etcd::{OtherMember, RecoveryPlan, RecoveryWay};
use serde_json::json;

use super::{accept, confirm_by_name};
use crate::backend::LocalCluster;
use crate::command::RecoverArgs;
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, cluster: &LocalCluster, args: &RecoverArgs) -> Outcome {
    let _claim = cluster.claim()?;
    let plan = cluster.plan_recovery()?;
    let format = args.output.format;
    if args.dry_run {
        let document = serde_json::to_value(&plan).unwrap_or_default();
        print(&structured(format, &document).unwrap_or_else(|| words(&plan)));
        return Ok(ExitCode::SUCCESS);
    }
    session.note(words(&plan).trim_end());
    if !plan.others.is_empty() && !args.others_are_off {
        let text = "two engines would answer if the others came back: when they are off, and stay off until om cluster rebuild was \
                    run on them, say --others-are-off";
        return Err(Failure::failed(text.to_owned()));
    }
    if !args.confirm {
        confirm_by_name(&plan.cluster, "--confirm")?;
    }
    let began = Instant::now();
    let (way, generation) = cluster.recover(&plan)?;
    // Revisions of a new engine begin anew, which its readers refuse else.
    accept(session, cluster)?;
    // The last step: until then the daemon leaves the member alone, and the same command goes on.
    cluster.end_recovery()?;
    let seconds = began.elapsed().as_secs_f64();
    let document = json!({
        "cluster": plan.cluster, "member": plan.member, "way": way, "generation": generation, "others": plan.others,
        "seconds": seconds,
    });
    if let Some(text) = structured(format, &document) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    let how = match way {
        RecoveryWay::Continued => "the member of this node goes on alone",
        RecoveryWay::Copied => "what this node had was copied into a new engine",
    };
    session.note(&format!("{how}: generation {generation}, after {seconds:.1} s"));
    let mut nodes: Vec<&str> = plan.others.iter().map(|other| other.node.as_str()).collect();
    nodes.dedup();
    if !nodes.is_empty() {
        session.note(&format!(
            "on {}, before its engine starts: om cluster rebuild --from {}; or om cluster remove it here",
            nodes.join(", "),
            plan.address()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(plan: &RecoveryPlan) -> String {
    let role = if plan.voter { "a voter" } else { "a member that followed" };
    let mut text = format!(
        "the engine of the cluster {} has no majority. A new one would be made of this node's data: {}, {role}, revision {}, \
         generation {}\n",
        plan.cluster, plan.member, plan.revision, plan.generation
    );
    for OtherMember { name, answers, fault, voter, .. } in &plan.others {
        let role = if *voter { "a voter" } else { "a follower" };
        let state = match (answers, fault) {
            (true, _) => "answers, without a majority".to_owned(),
            (false, fault) => fault.clone().unwrap_or_default(),
        };
        text += &format!("  {name}, {role}: {state}\n");
    }
    text += "what the others have acknowledged and this node does not have is lost. Services go on\n";
    text
}
