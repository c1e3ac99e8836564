//! Whole commands, each a process that knows nothing of the one before.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::measure::{Sample, command, in_turn, peak, succeed};
use crate::node::{MANY, Node, SERVICES};
use crate::references::References;
use crate::table::{Table, Target};

/// How often a command is run.
const RUNS: usize = 20;

/// The status of one service, for which its drivers are called.
pub(crate) fn status(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (object, count, limit) in [("one", 1, 10), ("many", MANY, 40)] {
        let words = [object, "print", "status", "--refresh"];
        let (sample, base) = beside_base(|| node.om(&words), || node.base(&words))?;
        let what = format!("`om X print status --refresh`, {count} × fs.flag");
        let against = [("/bin/true", &references.spawn), ("`om --version`", &references.version)];
        table.add(&what, sample, &with_base(&against, base.as_ref()), Target::ms(limit));
    }
    Ok(())
}

/// The status of every one of many services.
pub(crate) fn status_of_all(node: &Node, table: &mut Table) -> Result<()> {
    let words = ["*", "print", "status", "--refresh"];
    let (sample, base) = beside_base(|| node.om_services(&words), || node.base_services(&words))?;
    let what = format!("`om '*' print status --refresh`, {SERVICES} services");
    table.add(&what, sample, &with_base(&[], base.as_ref()), Target::None);
    Ok(())
}

/// Measures a command, in turn with the same one of the earlier version if there is one.
fn beside_base(om: impl Fn() -> Command, base: impl Fn() -> Option<Command>) -> Result<(Sample, Option<Sample>)> {
    if base().is_none() {
        return Ok((command(RUNS, om)?, None));
    }
    let (sample, base) = in_turn(RUNS, &om, || base().unwrap_or_else(&om))?;
    Ok((sample, Some(base)))
}

/// The references, and the earlier version among them.
fn with_base<'a>(against: &[(&'static str, &'a Sample)], base: Option<&'a Sample>) -> Vec<(&'static str, &'a Sample)> {
    let base = base.map(|base| ("the version to compare with", base));
    against.iter().copied().chain(base).collect()
}

/// Starts and stops, journals and logs included.
pub(crate) fn life(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (object, how) in [("many", "side by side"), ("serial", "one by one")] {
        let mut times = [Vec::new(), Vec::new()];
        let om = |verb| node.om(&[object, "instance", verb]);
        for _ in 0..RUNS {
            for (verb, times) in ["start", "stop"].into_iter().zip(&mut times) {
                let start = Instant::now();
                succeed(&mut om(verb))?;
                times.push(start.elapsed());
            }
        }
        for (verb, times) in ["start", "stop"].into_iter().zip(times) {
            let what = format!("`om X instance {verb}`, {MANY} × fs.flag {how}");
            let sample = Sample::new(times, Some(peak(&om(verb))?));
            table.add(&what, sample, &[("the shell that syncs", &references.shell_start)], Target::ms(100));
        }
    }
    Ok(())
}

/// Selects among many services.
pub(crate) fn list(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (selector, limit) in [("*", 30), ("app.timeout>1m", 60)] {
        let words = [selector, "ls"];
        let (sample, base) = beside_base(|| node.om_services(&words), || node.base_services(&words))?;
        let what = format!("`om '{selector}' ls`, {SERVICES} services");
        let against = with_base(&[("/bin/true", &references.spawn)], base.as_ref());
        table.add(&what, sample, &against, Target::ms(limit));
    }
    Ok(())
}

/// A driver that was never compiled on this machine: once in its life.
pub(crate) fn cold_cache(node: &Node, table: &mut Table) -> Result<()> {
    let cache = node.directory().join("cold");
    let cold = || {
        let _ = fs::remove_dir_all(&cache);
        let mut command = node.om(&["one", "print", "status", "--refresh"]);
        command.env("HOSTLER_CACHE", &cache);
        command
    };
    table.add("the same, its driver never compiled before", command(3, cold)?, &[], Target::None);
    Ok(())
}
