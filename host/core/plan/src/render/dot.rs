//! A plan as a Graphviz graph: `om web start --dry-run --format dot | dot -Tsvg`.

use std::fmt::Write;

use super::text::title;
use crate::{EdgeKind, Plan, PlanPhase, PlanStage, PlanStep};

/// A box a stage; an arrow where one step waits for another one, dashed where it does not mind its failure.
pub fn dot(plan: &Plan) -> String {
    let mut out = String::new();
    let title = format!("{} on {}: {}", plan.object, plan.node, plan.action);
    // Writing to a text cannot fail. `{:?}` quotes and escapes texts in a way that Graphviz understands.
    let _ = writeln!(out, "digraph plan {{\n  label={title:?};\n  rankdir=LR;\n  compound=true;\n  node [shape=box];");
    let mut number = 0;
    for (phase_at, phase) in plan.phases.iter().enumerate() {
        for stage in &phase.stages {
            write_stage(&mut out, phase_at, number, stage);
            number += 1;
        }
        write_requires(&mut out, phase_at, phase);
    }
    write_stage_order(&mut out, plan);
    out.push_str("}\n");
    out
}

/// The name of a node of the graph. A rid occurs at most once in each phase.
fn node(phase: usize, step: &PlanStep) -> String {
    format!("{:?}", format!("{phase}.{}", step.rid))
}

fn write_stage(out: &mut String, phase: usize, number: usize, stage: &PlanStage) {
    let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label={:?};", title(stage));
    for step in &stage.steps {
        let label = format!("{} {}\n{}", step.action(), step.rid, step.explanation());
        let style = if step.skip().is_some() { ", style=dotted" } else { "" };
        let _ = writeln!(out, "    {} [label={label:?}{style}];", node(phase, step));
    }
    // The order within a stage needs no edges in the plan, so it is drawn here, in gray.
    if !stage.parallel {
        for pair in stage.steps.windows(2) {
            let _ = writeln!(out, "    {} -> {} [color=gray];", node(phase, &pair[0]), node(phase, &pair[1]));
        }
    }
    out.push_str("  }\n");
}

fn write_requires(out: &mut String, at: usize, phase: &PlanPhase) {
    for step in phase.stages.iter().flat_map(|stage| &stage.steps) {
        for edge in &step.after {
            let before = format!("{:?}", format!("{at}.{}", edge.rid));
            let style = if edge.kind == EdgeKind::Follows { " [style=dashed]" } else { "" };
            let _ = writeln!(out, "  {before} -> {}{style};", node(at, step));
        }
    }
}

fn write_stage_order(out: &mut String, plan: &Plan) {
    let phases = plan.phases.iter().enumerate();
    let stages: Vec<(usize, &PlanStage)> =
        phases.flat_map(|(at, phase)| phase.stages.iter().map(move |stage| (at, stage))).collect();
    // Graphviz draws arrows between nodes only. lhead and ltail cut this one off at the boxes of the stages.
    for (number, pair) in stages.windows(2).enumerate() {
        let [(a, before), (b, after)] = pair else { continue };
        if let (Some(last), Some(first)) = (before.steps.last(), after.steps.first()) {
            let (from, to) = (node(*a, last), node(*b, first));
            let ends = format!("ltail=cluster_{number}, lhead=cluster_{}", number + 1);
            let _ = writeln!(out, "  {from} -> {to} [{ends}, color=gray];");
        }
    }
}
