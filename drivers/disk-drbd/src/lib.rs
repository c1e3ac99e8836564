//! `disk.drbd`: a device that is replicated to another node.
//!
//! Up: start has promoted this node, and it is Primary, so that the device can be used here. Down: it is not. The driver leaves a node
//! alone that another process has promoted, unless `start --local --adopt` takes it on. Stop demotes the DRBD resource that start promoted, whatever the
//! keywords say by then. It only makes the node Secondary:
//! the replication continues, and the data of both nodes stay the same. Start waits for the peer for a while and then promotes
//! this node; the wait avoids a second Primary if the peer has just not answered yet. Provision writes the metadata and joins;
//! if neither node has data yet and the peer is connected, the data of this node become the first copy. Unprovision leaves and
//! wipes the metadata.
//!
//! A peer that does not answer while this node tries to connect counts as dead, so that a service can fail over. A node that
//! stands alone does not try to connect: its peer may be Primary, and only `--force` promotes the node.
//!
//! The DRBD resource is defined in /etc/drbd.d, with the same content on both nodes. See drbd.conf(5), drbdadm(8).

mod replication;

use hostler_sdk::files::FileKind;
use hostler_sdk::prelude::*;
use hostler_sdk::state::StateScope;

use crate::replication::{ReplicationState, remedy};

/// A device that is replicated to another node.
///
/// Both nodes need the same definition in /etc/drbd.d. The first time, provision on one node, which joins and waits, and then
/// on the node that is to have the first copy. Do not set `standby`: a node that is not Primary is down, and replicates anyway.
///
/// If the peer does not answer in time, because it died for example, start continues without it. If the network may have failed
/// instead, let DRBD decide: see `fencing` in drbd.conf(5). A node that stands alone, as after a split brain or `drbdadm
/// disconnect`, starts only with `--force`, because the peer may be Primary with other data.
#[derive(Keywords)]
struct ReplicatedDevice {
    /// The name of the resource in /etc/drbd.d.
    #[keyword(example = "r0")]
    res: String,
    /// How long start waits for the peer before it continues without it.
    #[keyword(default = "10s")]
    connect_timeout: Duration,
}

/// The kind of holding: the role of a DRBD resource, whose name is the id.
const PRIMARY: &str = "primary";
const DRBDADM: &str = "/sbin/drbdadm";
const PROC: &str = "/proc/drbd";
/// The time between two checks for the peer.
const PAUSE: Duration = Duration::from_millis(500);
/// How long udev may take to create the link of the device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for ReplicatedDevice {
    const NAME: &str = "disk.drbd";
    const GRANTS: &[&str] = &[
        "files.read = /proc/drbd",
        "files.read = /dev/drbd/by-res/{kw:res}/**",
        "block.read = /dev/drbd/by-res/{kw:res}/**",
        "exec(read) = /sbin/drbdadm status {kw:res}",
        "exec(caps=cap_sys_module) = /sbin/modprobe -- drbd",
        "exec(read) = /sbin/drbdadm dump-md {kw:res}",
        // drbdadm configures the kernel through netlink, which needs cap_net_admin.
        "exec(caps=cap_net_admin) = /sbin/drbdadm up {kw:res}",
        "exec(caps=cap_net_admin) = /sbin/drbdadm down {kw:res}",
        "exec(caps=cap_net_admin) = /sbin/drbdadm primary {kw:res}",
        "exec(caps=cap_net_admin) = /sbin/drbdadm primary --force {kw:res}",
        "exec(caps=cap_net_admin) = /sbin/drbdadm secondary {kw:res}",
        "exec = /sbin/drbdadm create-md {kw:res}",
        "exec = /sbin/drbdadm -- --force wipe-md {kw:res}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let problem = |text| Problem::new("res", text);
        Ok(self.fault_of_name().map(problem).into_iter().collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let held = self.promoted()?;
        let own = held.as_ref().unwrap_or(self);
        let status = match own.seen() {
            Err(Error::Failed(why)) => Status::undefined(why),
            Err(error) => return Err(error),
            Ok(None) => Status::down().info("not configured in the kernel").provisioned_as(Provisioned::Unknown),
            Ok(Some(seen)) => own.status_of(&seen, held.is_some())?,
        };
        let status = match &held {
            Some(held) if held.res != self.res => {
                status.degraded(format!("{} is primary: res applies at the next start", held.res))
            }
            _ => status,
        };
        Ok(status.label(format!("drbd {}", self.res)))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        if let Some(held) = self.promoted()?.filter(|held| held.res != self.res) {
            return Err(Error::failed(format!(
                "{} is primary, and res is {} now: a restart changes it",
                held.res, self.res
            )));
        }
        let res = &self.res;
        let seen = self.join()?;
        if seen.is_primary() {
            return self.found(context);
        }
        if seen.stands_alone() {
            self.may_go_alone(context)?;
        }
        // DRBD would refuse too, but its message does not say what to do.
        if seen.peer_role == "Primary" {
            return Err(Error::failed(format!("the peer of {res} is primary: stop the service there first")));
        }
        // Without good data on either side, the promotion would make garbage the truth for both nodes.
        if seen.disk != "UpToDate" && seen.peer_disk != "UpToDate" {
            return Err(Error::failed(format!(
                "no node has good data of {res} yet ({}/{}): provision on the node that is to have the first copy",
                seen.disk, seen.peer_disk
            )));
        }
        self.promote(&["primary"])?;
        // The node is primary all the same if no link comes in time: what needs the device fails, and says so.
        clock::wait_until(UDEV, PAUSE, || Ok(!self.devices()?.is_empty()))?;
        Ok(Outcome::changed(format!("{res} is primary")))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let Some(held) = self.promoted()? else {
            // The stop succeeds also if the state of the DRBD resource cannot be read: nothing of it is this resource's own.
            if self.seen().ok().flatten().is_some_and(|seen| seen.is_primary()) {
                log::info(format!("{}: it stays", self.stranger()));
            }
            return Ok(Outcome::unchanged(format!("{} is not primary", self.res)));
        };
        let res = &held.res;
        if !held.seen()?.is_some_and(|seen| seen.is_primary()) {
            return Ok(Outcome::unchanged(format!("{res} is not primary")));
        }
        // The record stays until the status says that it is down.
        held.drbdadm(&["secondary"])?;
        Ok(Outcome::changed(format!("{res} is secondary, and is still replicated")))
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        let res = &self.res;
        let joined = self.seen()?.is_some_and(|seen| seen.disk != "Diskless");
        if !joined && !self.has_metadata()? {
            // create-md asks before it destroys data that it finds. Its standard input is empty, so it refuses then.
            self.drbdadm(&["create-md"])?;
        }
        let seen = self.join()?;
        let no_node_has_data =
            seen.disk == "Inconsistent" && matches!(seen.peer_disk.as_str(), "Inconsistent" | "DUnknown");
        // With data on neither node, one of them must be declared the source. --force is safe only in that case.
        if no_node_has_data && (seen.is_connected() || context.force()) {
            self.promote(&["primary", "--force"])?;
            return Ok(Outcome::changed(format!("{res} has its first copy here")));
        }
        Ok(match joined {
            true => Outcome::unchanged(format!("{res} was joined already")),
            false => Outcome::changed(format!("joined {res}")),
        })
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        let res = &self.res;
        let configured = self.seen()?.is_some();
        // The resource must leave the kernel first: drbdadm refuses to wipe metadata in use.
        if configured {
            self.drbdadm(&["down"])?;
        }
        if !self.has_metadata()? {
            return Ok(match configured {
                true => Outcome::changed(format!("{res} is down")),
                false => Outcome::unchanged(format!("{res} was left already")),
            });
        }
        self.drbdadm(&["--", "--force", "wipe-md"])?;
        Ok(Outcome::changed(format!("left {res}, its metadata are wiped")))
    }
}

impl ReplicatedDevice {
    /// What this resource promoted, whatever `res` says by now.
    fn promoted(&self) -> Result<Option<ReplicatedDevice>> {
        let held = holdings::present(PRIMARY)?.pop();
        Ok(held.map(|held| ReplicatedDevice { res: held.id, connect_timeout: self.connect_timeout }))
    }

    /// Promotes the node. It is recorded before, so that a stop after a kill in between demotes it.
    fn promote(&self, words: &[&str]) -> Result<()> {
        self.hold()?;
        self.drbdadm(words).inspect_err(|_| {
            // Where the role cannot be read, the record stays, and a stop demotes the node. The error of drbdadm says
            // more than one of this.
            if self.seen().is_ok_and(|seen| seen.is_none_or(|seen| !seen.is_primary())) {
                let _ = holdings::withdraw(PRIMARY, &self.res);
            }
        })
    }

    fn hold(&self) -> Result<()> {
        let label = format!("the role of {}: primary", self.res);
        Ok(holdings::declare(StateScope::Boot, PRIMARY, &self.res, &label, &[])?)
    }

    /// The outcome of a start that finds the node Primary.
    fn found(&self, context: &Context) -> Result<Outcome> {
        if self.promoted()?.is_some() {
            return Ok(Outcome::unchanged(format!("{} is already primary", self.res)));
        }
        if !context.adopt() {
            return Err(Error::failed(format!("{}: start --local --adopt takes it on", self.stranger())));
        }
        self.hold()?;
        Ok(Outcome::unchanged(format!("took on the primary role of {}", self.res)))
    }

    fn stranger(&self) -> String {
        format!("{} is primary already, but not by this resource", self.res)
    }

    fn status_of(&self, seen: &ReplicationState, is_own: bool) -> Result<Status> {
        let is_up = seen.is_primary() && is_own;
        let status = Status::up_if(is_up).provisioned(seen.disk != "Diskless");
        let status = match seen.is_primary() && !is_own {
            true => status.warning(self.stranger()),
            false => status,
        };
        let worsen = if is_up { Status::degraded } else { Status::warning };
        // Only exposed while Primary: DRBD refuses to open the device otherwise.
        let devices = if is_up { self.devices()? } else { Vec::new() };
        let status = devices.into_iter().fold(status, |status, device| status.exposes("device", device));
        Ok(seen.faults(&self.res).into_iter().fold(status, worsen))
    }

    /// The problem with the name. `all` and `minor-0` are refused, because drbdadm would apply them to other resources.
    fn fault_of_name(&self) -> Option<String> {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
        let other = self.res == "all" || self.res.starts_with("minor-") || self.res.starts_with('-');
        (self.res.is_empty() || other || !self.res.chars().all(legal))
            .then(|| format!("{:?} is not the name of a resource in /etc/drbd.d", self.res))
    }

    /// The devices of the resource, by the names that udev gives them: one for each volume.
    fn devices(&self) -> Result<Vec<String>> {
        let path = format!("/dev/drbd/by-res/{}", self.res);
        let mut volumes = match files::stat(&path)? {
            None => Vec::new(),
            Some(found) if found.kind != FileKind::Directory => vec![path],
            Some(_) => files::list_directory(&path)?.into_iter().map(|volume| format!("{path}/{volume}")).collect(),
        };
        volumes.sort();
        Ok(volumes)
    }

    /// The state of the resource, or None if the kernel does not know it.
    fn seen(&self) -> Result<Option<ReplicationState>> {
        if let Some(fault) = self.fault_of_name() {
            return Err(Error::invalid_config(format!("res: {fault}")));
        }
        // drbdadm would load the module if it is missing, which a query must not do.
        if !files::exists(PROC)? {
            return Ok(None);
        }
        let output = match Command::new(DRBDADM).args(["status", &self.res]).run() {
            Err(error) if error.is_not_found() => {
                return Err(Error::failed(format!("{DRBDADM} is not installed: it comes with the package drbd-utils")));
            }
            answer => answer?,
        };
        if String::from_utf8_lossy(&output.stderr).contains("not defined in your config") {
            return Err(Error::failed(format!("{} is not defined in /etc/drbd.d", self.res)));
        }
        Ok(ReplicationState::parse(&output.text()))
    }

    fn load(&self) -> Result<()> {
        if !files::exists(PROC)? {
            Command::new("/sbin/modprobe").args(["--", "drbd"]).check()?;
        }
        Ok(())
    }

    /// Joins the replication, and waits until the peer is connected or the timeout is over.
    fn join(&self) -> Result<ReplicationState> {
        let absent =
            || Error::failed(format!("{} is not configured in the kernel, although drbdadm up succeeded", self.res));
        self.load()?;
        // A Diskless resource is configured, but its disk is not attached: `up` attaches it.
        if self.seen()?.is_none_or(|seen| seen.disk == "Diskless") {
            self.drbdadm(&["up"])?;
        }
        let mut last = None;
        clock::wait_until(self.connect_timeout, PAUSE, || {
            let seen = self.seen()?.ok_or_else(absent)?;
            // A node that stands alone never connects, so waiting would be in vain.
            let settled = seen.is_connected() || seen.stands_alone() || seen.is_primary();
            last = Some(seen);
            Ok(settled)
        })?;
        last.ok_or_else(absent)
    }

    /// The role of the peer of a node that stands alone is unknown: an error, unless forced.
    fn may_go_alone(&self, context: &Context) -> Result<()> {
        let res = &self.res;
        let why = format!("{res} stands alone, as after a split brain: the peer may be primary, with other data");
        if !context.force() {
            return Err(Error::failed(format!(
                "{why}; {}; or take what is here with --force, once the peer is surely not in use",
                remedy(res)
            )));
        }
        log::warn(format!("{why}; it is forced to go on"));
        Ok(())
    }

    fn has_metadata(&self) -> Result<bool> {
        let output = Command::new(DRBDADM).args(["dump-md", &self.res]).run()?;
        let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        // The metadata of a node that crashed are unclean: they exist, but dump-md refuses to show them.
        Ok(output.succeeded() || String::from_utf8_lossy(&text).contains("unclean"))
    }

    fn drbdadm(&self, words: &[&str]) -> Result<()> {
        Command::new(DRBDADM).args(words.iter().copied()).arg(&self.res).check()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
