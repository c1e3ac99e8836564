//! `sync.config`: copies the configuration of an object to all its nodes. Every object with several nodes has it as `sync#i0`.
//!
//! A copy sends the configuration of this node to another one over ssh, and then the record of which node has which
//! configuration. A newer configuration on the other node is not overwritten, unless it is forced. Status uses the record and
//! does not contact other nodes: up if all of them have the current configuration of this node, down if none of them has it,
//! warn otherwise. See rsync(1), ssh(1).

mod agreement;

use hostler_family_remote::{SSH, failure, ssh};
use hostler_sdk::each_target;
use hostler_sdk::prelude::*;

use crate::agreement::{ConfigAgreement, digest};

/// The configuration of an object on all of its nodes.
///
/// Every object with several nodes has one, `sync#i0`, without a section for it. `om web sync nodes` sends the configuration of
/// this node to the others. Other nodes are reached by their names with the ssh of this node, see the driver sync.rsync.
#[derive(Keywords)]
struct ConfigSync {
    /// The other nodes of the object that receive it.
    #[keyword(candidates("nodes", "drpnodes"), default = "nodes drpnodes", example = "nodes")]
    target: Vec<String>,
}

/// The grant to send one file to the same path on another node.
macro_rules! send {
    ($capability:literal, $more:literal, $file:literal) => {
        concat!(
            $capability,
            " = /usr/bin/rsync -ptgos --checksum --itemize-changes --stats --no-human-readable --mkpath",
            $more,
            " -e \"",
            ssh!(),
            "\" -- ",
            $file,
            " {peer}:",
            $file
        )
    };
}

const ALWAYS: [&str; 6] = ["-ptgos", "--checksum", "--itemize-changes", "--stats", "--no-human-readable", "--mkpath"];

#[driver(sync)]
impl Driver for ConfigSync {
    const NAME: &str = "sync.config";
    const IMPLICIT: Option<&str> = Some("sync#i0");
    const GRANTS: &[&str] = &[
        "files.read = {config}",
        "files.write = {statedir}",
        "files.write = {statedir}/agreement",
        send!("exec(read)", " --dry-run", "{config}"),
        send!("exec", " [ --update ]", "{config}"),
        send!("exec", "", "{statedir}/agreement"),
    ];

    fn status(&self, context: &Context) -> Result<Status> {
        let own = digest(&files::read(context.config()?)?);
        let known = known(context)?;
        let others = self.targets(context);
        let lacking: Vec<&&str> = others.iter().filter(|node| !known.has(node, &own)).collect();
        let status = match lacking.len() {
            0 => Status::up(),
            all if all == others.len() => Status::down(),
            _ => Status::of(State::Warn),
        };
        let why = |node: &str| match known.knows(node) {
            true => format!("{node} has another configuration, as far as is known: need update"),
            false => format!("{node} never got the configuration: need update"),
        };
        let status = lacking.into_iter().fold(status, |status, node| status.warning(why(node)));
        Ok(status.label(self.label(context)))
    }
}

impl hostler_sdk::Sync for ConfigSync {
    fn sync(&self, context: &Context, verb: &str, target: &str) -> Result<TargetReport> {
        Ok(self.sync_all(context, verb, &[target.to_owned()])?.remove(0))
    }

    fn sync_all(&self, context: &Context, verb: &str, targets: &[String]) -> Result<Vec<TargetReport>> {
        if !matches!(verb, "update" | "full") {
            return Err(Error::Unsupported);
        }
        let config = context.config()?;
        let own = digest(&files::read(&config)?);
        let mut known = known(context)?;
        // The record goes to the other nodes, which learn by it that this one has the configuration.
        known.note(&context.node, &own);
        let reports = each_target(targets, |node| {
            let report = send(node, &config, context.force())?;
            // The nodes are recorded only if they were reached; the others keep their old entry.
            known.note(node, &own);
            Ok(report)
        })?;
        remember(context, &known, &reports)?;
        Ok(reports)
    }
}

impl ConfigSync {
    /// The label: `rsync svc config to drpnodes, nodes`.
    fn label(&self, context: &Context) -> String {
        let kind = context.object.rsplit('/').nth(1).unwrap_or("svc");
        let has_nodes =
            |place: &&str| self.sends_to(place) && context.var(place).is_some_and(|nodes| !nodes.is_empty());
        let places: Vec<&str> = ["drpnodes", "nodes"].into_iter().filter(has_nodes).collect();
        format!("rsync {kind} config to {}", places.join(", "))
    }

    fn sends_to(&self, place: &str) -> bool {
        self.target.iter().any(|word| word == place)
    }

    /// The other nodes that should have the configuration.
    fn targets<'c>(&self, context: &'c Context) -> Vec<&'c str> {
        let nodes = if self.sends_to("nodes") { context.peers() } else { Vec::new() };
        let drpnodes = if self.sends_to("drpnodes") { context.drp_peers() } else { Vec::new() };
        let more: Vec<&str> = drpnodes.into_iter().filter(|node| !nodes.contains(node)).collect();
        nodes.into_iter().chain(more).collect()
    }
}

/// Sends the configuration if it differs.
fn send(node: &str, config: &Path, force: bool) -> Result<TargetReport> {
    // The dry run shows whether the content differs. rsync cannot say afterwards whether --update skipped the file or it was
    // equal.
    if !differs(&run(&["--dry-run"], node, config)?) {
        return Ok(TargetReport::unchanged(node));
    }
    // --update leaves a newer file on the other node alone: the operator may have edited it there.
    let sent = run(if force { &[] } else { &["--update"] }, node, config)?;
    match differs(&sent) {
        true => Ok(TargetReport::copied(node, bytes(&sent))),
        false => Err(Error::failed(
            "its configuration is another one, and newer: not overwritten; copy it from there, or send this one with --force",
        )),
    }
}

/// Runs rsync on one file, in the order of the grants.
fn run(more: &[&str], node: &str, file: &Path) -> Result<String> {
    let path = file.display().to_string();
    let there = format!("{node}:{path}");
    let rsync = Command::new("/usr/bin/rsync").args(ALWAYS).args(more.iter().copied());
    let output = rsync.args(["-e", SSH, "--", &path, &there]).run()?;
    match output.succeeded() {
        true => Ok(output.text()),
        false => Err(failure("rsync", &output)),
    }
}

/// Whether rsync sends, or would send, the content of the file: the line for the file begins with `<f`.
fn differs(said: &str) -> bool {
    said.lines().any(|line| line.starts_with("<f"))
}

fn bytes(said: &str) -> u64 {
    let line = said.lines().find_map(|line| line.strip_prefix("Total bytes sent:"));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// The path of the record, here and on the other nodes.
fn place(context: &Context) -> Result<PathBuf> {
    Ok(context.statedir()?.join("agreement"))
}

fn known(context: &Context) -> Result<ConfigAgreement> {
    match files::read_text(place(context)?) {
        Ok(text) => Ok(ConfigAgreement::parse(&text)),
        Err(error) if error.is_not_found() => Ok(ConfigAgreement::default()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the record, and sends it to the nodes that were reached. A failure to send it is harmless: such a node only reports
/// the others as unknown.
fn remember(context: &Context, known: &ConfigAgreement, reports: &[TargetReport]) -> Result<()> {
    let place = place(context)?;
    if known.text() != crate::known(context)?.text() {
        files::make_directory(context.statedir()?, Mode(0o700))?;
        files::write(&place, known.text(), Mode(0o644))?;
    }
    for report in reports.iter().filter(|report| report.error.is_none()) {
        if let Err(error) = run(&[], &report.target, &place) {
            log::warn(format!("{} has the configuration, but does not know who else has: {error}", report.target));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
