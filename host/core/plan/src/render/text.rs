//! A plan as a table: what would happen.

use crate::{Plan, PlanStage, PlanStep};

/// One line a step, with the group and subset of each stage in front of its first one.
pub fn text(plan: &Plan) -> String {
    let rows: Vec<[String; 4]> = plan.stages().flat_map(rows).collect();
    // In characters, as `{:<}` pads them: the mark ∥ takes three bytes.
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (stage, rid, action) = (width(0) + 2, width(1) + 3, width(2) + 3);
    let steps = count(plan.steps().count(), "step");
    let stages = count(plan.stages().count(), "stage");
    let mut out = format!("{} on {}: {}, {steps} in {stages}\n", plan.object, plan.node, plan.action);
    for [a, b, c, d] in &rows {
        out.push_str(&format!("  {a:<stage$}{b:<rid$}{c:<action$}{d}\n"));
    }
    out.push_str(&digest_line(plan));
    out
}

fn digest_line(plan: &Plan) -> String {
    let digest = plan.digest.to_string();
    let (first, last) = (plan.digest.short(), &digest[digest.len() - 2..]);
    format!("digest {first}…{last}; run exactly this with --if-plan {first}\n")
}

fn rows(stage: &PlanStage) -> impl Iterator<Item = [String; 4]> {
    stage.steps.iter().enumerate().map(|(at, step)| {
        let title = if at == 0 { title(stage) } else { String::new() };
        [title, step.rid.to_string(), step.action().to_owned(), reason(step)]
    })
}

fn reason(step: &PlanStep) -> String {
    match step.optional && step.skip().is_none() {
        true => format!("{} (optional)", step.explanation()),
        false => step.explanation(),
    }
}

/// The group and subset of a stage, and a mark if its steps act at the same time.
pub(super) fn title(stage: &PlanStage) -> String {
    let subset = stage.subset.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
    let parallel = if stage.parallel { " ∥" } else { "" };
    format!("{}{subset}{parallel}", stage.group)
}

fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
