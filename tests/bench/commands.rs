//! Whole commands, each a process that knows nothing of the one before.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::measure::{Sample, command, in_turn, peak, succeed};
use crate::node::{MANY, Node, Place, SERVICES};
use crate::references::References;
use crate::table::{Table, Target};

/// How often a command is run.
const RUNS: usize = 20;

/// The status of one service, for which its drivers are called.
pub(crate) fn status(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (object, count, limit) in [("one", 1, 10), ("many", MANY, 12)] {
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
    table.add(&what, sample, &with_base(&[], base.as_ref()), Target::ms(150));
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

/// Starts and stops, journals and logs included. Journals and logs that must last are on a disk in any case; what a reboot
/// empties is in memory, as on a real node, or on the disk too.
pub(crate) fn life(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (place, at) in [(Place::Memory, ""), (Place::Disk, ", run directory on the disk")] {
        for (object, how) in [("many", "side by side"), ("serial", "one by one")] {
            let rounds = Rounds { object, om: node.om_at(place), base: node.base_at(place) };
            for (verb, limit, (sample, base)) in rounds.run(RUNS, [("start", 35), ("stop", 35)])? {
                let what = format!("`om X instance {verb}`, {MANY} × fs.flag {how}{at}");
                let against = with_base(&[("the shell that syncs", &references.shell_start)], base.as_ref());
                table.add(&what, sample, &against, Target::ms(limit));
            }
        }
    }
    Ok(())
}

/// Starts and stops of many services, one after the other in one command.
pub(crate) fn life_of_all(node: &Node, table: &mut Table) -> Result<()> {
    let rounds = Rounds { object: "*", om: node.om_at(Place::Flags), base: node.base_at(Place::Flags) };
    for (verb, limit, (sample, base)) in rounds.run(3, [("start", 2000), ("stop", 2000)])? {
        let what = format!("`om '*' instance {verb}`, {SERVICES} services of one fs.flag");
        table.add(&what, sample, &with_base(&[], base.as_ref()), Target::ms(limit));
    }
    Ok(())
}

/// Starts and stops in turn, by this version and by the earlier one.
struct Rounds<Om, Base> {
    object: &'static str,
    om: Om,
    base: Option<Base>,
}

impl<Om: Fn(&[&str]) -> Command, Base: Fn(&[&str]) -> Command> Rounds<Om, Base> {
    /// The samples of both verbs, each with its limit and with the earlier version's.
    fn run(&self, runs: usize, verbs: [(&'static str, u64); 2]) -> Result<Vec<(&'static str, u64, Pair)>> {
        let mut times: [[Vec<Duration>; 2]; 2] = Default::default();
        for _ in 0..runs {
            for version in 0..2 {
                for ((verb, _), times) in verbs.iter().zip(&mut times) {
                    let Some(mut command) = self.command(version, verb) else { continue };
                    let start = Instant::now();
                    succeed(&mut command)?;
                    times[version].push(start.elapsed());
                }
            }
        }
        let sample = |version: usize, verb: &str, times: Vec<Duration>| -> Result<Option<Sample>> {
            let Some(command) = self.command(version, verb) else { return Ok(None) };
            Ok(Some(Sample::new(times, Some(peak(&command)?))))
        };
        let mut samples = Vec::new();
        for ((verb, limit), [own, base]) in verbs.into_iter().zip(times) {
            let own = sample(0, verb, own)?.context("this version makes no command")?;
            samples.push((verb, limit, (own, sample(1, verb, base)?)));
        }
        Ok(samples)
    }

    fn command(&self, version: usize, verb: &str) -> Option<Command> {
        let words = [self.object, "instance", verb];
        if version == 0 { Some((self.om)(&words)) } else { self.base.as_ref().map(|base| base(&words)) }
    }
}

/// The sample of this version, and that of the earlier one.
type Pair = (Sample, Option<Sample>);

/// Selects among many services.
pub(crate) fn list(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    for (selector, limit) in [("*", 4), ("app.timeout>1m", 60)] {
        let words = [selector, "ls"];
        let (sample, base) = beside_base(|| node.om_services(&words), || node.base_services(&words))?;
        let what = format!("`om '{selector}' ls`, {SERVICES} services");
        let against = with_base(&[("/bin/true", &references.spawn)], base.as_ref());
        table.add(&what, sample, &against, Target::ms(limit));
    }
    Ok(())
}

/// The configurations of OpenSVC that the tests have, in one command. Some have errors, so that a shell takes that for success.
pub(crate) fn validate(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/opensvc.in");
    let mut files: Vec<_> = fs::read_dir(corpus)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
    let shell = |om: Command| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#""$0" config validate "$@"; test $? -le 1"#]).arg(om.get_program()).args(&files);
        command.envs(om.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    };
    let what = format!("`om config validate`, the {} files of OpenSVC's words", files.len());
    let sample = command(RUNS, || shell(node.om(&[])))?;
    table.add(&what, sample, &[("/bin/true", &references.spawn)], Target::ms(30));
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
