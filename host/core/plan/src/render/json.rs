//! A plan for programs: the text of every reason, and a stable code beside it.
//!
//! The digest is made of this document, so the order of the members is that of the structs below. Codes are left out of it:
//! they say nothing that the text does not.

use model::SubsetName;
use serde::Serialize;

use crate::{EdgeKind, OnFailure, Plan, PlanStage, PlanStep, StepUndo, StepWork, WorkOrder};

/// The plan, the digest included, for a serializer of the caller's choice.
pub fn json(plan: &Plan) -> impl Serialize + '_ {
    document(plan, Some(plan.digest.to_string()))
}

/// The bytes that the digest is made of: everything but the digest.
pub(crate) fn fingerprint(plan: &Plan) -> Vec<u8> {
    // Serializing structs of texts, numbers and lists cannot fail.
    serde_json::to_vec(&document(plan, None)).unwrap_or_default()
}

#[derive(Serialize)]
struct PlanDocument<'a> {
    object: String,
    action: &'a str,
    node: &'a str,
    stages: Vec<StageDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

#[derive(Serialize)]
struct StageDocument<'a> {
    phase: usize,
    on_failure: &'a str,
    group: &'a str,
    subset: Option<&'a str>,
    parallel: bool,
    steps: Vec<StepDocument<'a>>,
}

#[derive(Serialize)]
struct StepDocument<'a> {
    rid: String,
    driver: String,
    action: &'a str,
    skip: bool,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    optional: bool,
    state: &'a str,
    work: Vec<WorkDocument<'a>>,
    after: Vec<EdgeDocument>,
    undo: &'a str,
}

#[derive(Serialize)]
struct WorkDocument<'a> {
    verb: &'static str,
    timeout_ms: u128,
    triggers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
}

#[derive(Serialize)]
struct EdgeDocument {
    rid: String,
    must_succeed: bool,
}

fn document(plan: &Plan, digest: Option<String>) -> PlanDocument<'_> {
    let phases = plan.phases.iter().enumerate();
    let stages = phases.flat_map(|(at, phase)| phase.stages.iter().map(move |stage| (at, phase.on_failure, stage)));
    PlanDocument {
        object: plan.object.to_string(),
        action: plan.action.as_str(),
        node: plan.node.as_str(),
        stages: stages
            // Without a digest, this is the document that the digest is made of.
            .map(|(phase, on_failure, stage)| stage_document(phase, on_failure, stage, digest.is_some()))
            .collect(),
        digest,
    }
}

fn stage_document(phase: usize, on_failure: OnFailure, stage: &PlanStage, for_programs: bool) -> StageDocument<'_> {
    StageDocument {
        phase,
        on_failure: match on_failure {
            OnFailure::Undo => "undo",
            // The same is done for both reasons, so both plans have one digest.
            OnFailure::KeepByOption | OnFailure::KeepByConfig => "keep",
            OnFailure::GoOn => "go on",
        },
        group: stage.group.as_str(),
        subset: stage.subset.as_ref().map(SubsetName::as_str),
        parallel: stage.parallel,
        steps: stage.steps.iter().map(|step| step_document(step, for_programs)).collect(),
    }
}

fn step_document(step: &PlanStep, for_programs: bool) -> StepDocument<'_> {
    let edge =
        |edge: &crate::StepEdge| EdgeDocument { rid: edge.rid.to_string(), must_succeed: edge.kind == EdgeKind::Needs };
    StepDocument {
        rid: step.rid.to_string(),
        driver: step.driver.to_string(),
        action: step.action(),
        skip: step.skip().is_some(),
        reason: step.explanation(),
        code: for_programs.then(|| step.reason.code()),
        optional: step.optional,
        state: step.prior.as_str(),
        work: step.work.iter().map(work_document).collect(),
        after: step.after.iter().map(edge).collect(),
        undo: match step.undo {
            StepUndo::None => "none",
            StepUndo::WasUp => "none: was up",
            StepUndo::Standby => "none: standby",
            StepUndo::Stop(_) => "stop",
        },
    }
}

fn work_document(work: &StepWork) -> WorkDocument<'_> {
    let (mode, targets, to) = match &work.order {
        WorkOrder::Sync { verb, targets } => (Some(verb.as_str()), Some(targets.as_slice()), None),
        WorkOrder::Migrate { to } => (None, None, Some(to.as_str())),
        _ => (None, None, None),
    };
    WorkDocument {
        verb: work.verb().as_str(),
        timeout_ms: work.deadline.as_millis(),
        triggers: work.triggers.iter().map(ToString::to_string).collect(),
        mode,
        targets,
        to,
    }
}
