//! `container.gce`: a virtual machine of Google's cloud.
//!
//! ```text
//!   (none) ──provision──▶ PROVISIONING ▶ STAGING ▶ RUNNING ──stop──▶ STOPPING ▶ TERMINATED ──start──▶ STAGING ▶ RUNNING
//!      ◀──────────────────────────────── unprovision ─────────────────────────────────────────
//! ```
//!
//! Up: it is RUNNING. Down: it is TERMINATED, SUSPENDED, or does not exist. States in between are a warning, and start and stop
//! wait until they are over. Provision creates the machine, which then runs; unprovision deletes it with its boot disk. Disks
//! that are only attached to it are never deleted.
//! See <https://cloud.google.com/compute/docs/instances/instance-life-cycle>.

mod body;

use hostler_family_gce::gce_grants;
use hostler_family_gce::{CloudKeywords, ComputeClient, ComputeError, check_name, failed};
use hostler_sdk::prelude::*;
use serde_json::Value;

/// The time between two queries about a machine that changes its state.
const PAUSE: Duration = Duration::from_millis(500);

/// A virtual machine of Google's cloud.
///
/// The machine may run in another zone than this node, and every node of the object can manage it: set `shared = true` if
/// several nodes may start it.
#[derive(Keywords)]
struct CloudMachine {
    /// The name of the machine.
    #[keyword(example = "web1")]
    name: String,
    /// The machine type, which determines processors and memory.
    #[keyword(provisioning, default = "e2-small", example = "n2-standard-4")]
    machine_type: String,
    /// The image of the boot disk: its name, or `family/` followed by the name of an image family.
    #[keyword(provisioning, example = "family/debian-12")]
    image: Option<String>,
    /// The project of the image. The default is the machine's project.
    #[keyword(provisioning, example = "debian-cloud")]
    image_project: Option<String>,
    /// The size of the boot disk, rounded up to whole GB. The default is the size of the image.
    #[keyword(provisioning, example = "20g")]
    boot_disk_size: Option<Size>,
    /// The type of the boot disk. The default is Google's.
    #[keyword(provisioning, example = "pd-ssd")]
    boot_disk_type: Option<String>,
    /// Existing disks that are attached to the machine when it is created, each under its own name. They are not deleted with it.
    #[keyword(provisioning, example = "web1-data")]
    disks: Vec<String>,
    /// The network of the machine.
    #[keyword(provisioning, default = "default")]
    network: String,
    /// The subnetwork of the machine. The default is the network's subnetwork in the region.
    #[keyword(provisioning, example = "regions/europe-west1/subnetworks/web")]
    subnetwork: Option<String>,
    /// Whether the machine gets a public address.
    #[keyword(provisioning, default = "false")]
    external_ip: bool,
    /// Whether the machine may forward packets with other destinations, which ip.gce needs.
    #[keyword(provisioning, default = "false")]
    can_ip_forward: bool,
    /// The service account of the machine, if scopes are given.
    #[keyword(provisioning, default = "default", example = "web@my-project.iam.gserviceaccount.com")]
    service_account: String,
    /// The scopes of the service account: full addresses, or the part after https://www.googleapis.com/auth/.
    #[keyword(provisioning, example = "compute logging.write")]
    scopes: Vec<String>,
    /// Values for the metadata server: words KEY=VALUE, in quotes if a value contains spaces.
    #[keyword(provisioning, kind = "words", example = "role=web")]
    metadata: Vec<String>,
    /// Network tags, by which firewall rules and routes select the machine.
    #[keyword(provisioning, example = "http-server")]
    network_tags: Vec<String>,
    /// A description of the machine.
    #[keyword(provisioning, example = "The first web server")]
    description: Option<String>,
    #[keyword(flatten)]
    cloud: CloudKeywords,
}

#[driver]
impl Driver for CloudMachine {
    const NAME: &str = "container.gce";
    const GRANTS: &[&str] = gce_grants![];

    /// The machine survives a reboot of this node.
    const PERSISTENT: bool = true;

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let names = std::iter::once(("name", &self.name)).chain(self.disks.iter().map(|disk| ("disks", disk)));
        let bad = names
            .filter_map(|(keyword, name)| Some(Problem::new(keyword, check_name(keyword, name).err()?.to_string())));
        let unpaired = self.metadata.iter().filter(|word| !word.contains('='));
        let unpaired = unpaired.map(|word| Problem::new("metadata", format!("{word} is not KEY=VALUE")));
        Ok(bad.chain(unpaired).collect())
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let label = format!("gce instance {}", self.name);
        match self.look(&self.cloud.client(context)) {
            Ok(status) => Ok(status.label(label)),
            // A missing grant is a mistake of the configuration, which the host reports with the missing line; other errors leave the
            // state unknown.
            Err(Error::NeedsGrant(line)) => Err(Error::NeedsGrant(line)),
            Err(error) => Ok(Status::undefined(error).label(label)),
        }
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        let verb = match self.settled(&client, context)?.as_deref() {
            None => return Err(Error::failed(format!("{} does not exist: provision it first", self.name))),
            Some("RUNNING") => return Ok(Outcome::unchanged(format!("{} already runs", self.name))),
            // The API has a method of its own for a suspended machine, and refuses `start`.
            Some("SUSPENDED") => "resume",
            Some(_) => "start",
        };
        self.act(&client, verb, "start")?;
        self.reach("RUNNING", &client, context)?;
        Ok(Outcome::changed(format!("{} runs", self.name)))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        match self.settled(&client, context)?.as_deref() {
            None => return Ok(Outcome::unchanged(format!("{} does not exist", self.name))),
            Some("TERMINATED" | "STOPPED" | "SUSPENDED") => {
                return Ok(Outcome::unchanged(format!("{} does not run", self.name)));
            }
            Some(_) => {}
        }
        self.act(&client, "stop", "stop")?;
        self.reach("TERMINATED", &client, context)?;
        Ok(Outcome::changed(format!("{} is stopped", self.name)))
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        if self.state(&client)?.is_some() {
            return Ok(Outcome::unchanged(format!("{} exists already", self.name)));
        }
        let (body, doing) = (self.body(&client)?, format!("cannot make {}", self.name));
        let collection = format!("zones/{}/instances", client.zone().map_err(failed(&doing))?);
        match client.change("POST", &collection, "", Some(&body), &format!("making {}", self.name)) {
            Ok(()) => Ok(Outcome::changed(format!("made {}, a {}", self.name, self.machine_type))),
            // The name was free a moment ago: another node of the object may have created the machine at the same time.
            Err(ComputeError::AlreadyExists(_)) if self.state(&client)?.is_some() => {
                Ok(Outcome::changed(format!("{} exists: another node or user created it", self.name)))
            }
            Err(fault) => Err(failed(doing)(fault)),
        }
    }

    fn unprovision(&self, context: &Context) -> Result<Outcome> {
        let client = self.cloud.client(context);
        if self.state(&client)?.is_none() {
            return Ok(Outcome::unchanged(format!("{} does not exist", self.name)));
        }
        match client.change("DELETE", &self.path(&client)?, "", None, &format!("deleting {}", self.name)) {
            Ok(()) | Err(ComputeError::NotFound(_)) => Ok(Outcome::changed(format!("deleted {}", self.name))),
            Err(fault) => Err(failed(format!("cannot delete {}", self.name))(fault)),
        }
    }
}

impl CloudMachine {
    fn look(&self, client: &ComputeClient<'_>) -> Result<Status> {
        let Some(state) = self.state(client)? else {
            return Ok(Status::down().provisioned(false));
        };
        let status = match state.as_str() {
            "RUNNING" => Status::up(),
            "TERMINATED" | "STOPPED" => Status::down(),
            "SUSPENDED" => Status::down().info("it is suspended"),
            other => Status::up().degraded(format!("it is {other}")),
        };
        Ok(status.provisioned(true))
    }

    fn path(&self, client: &ComputeClient<'_>) -> Result<String> {
        check_name("name", &self.name)?;
        Ok(format!("zones/{}/instances/{}", client.zone()?, self.name))
    }

    /// The state of the machine at Google, such as `RUNNING`. None if it does not exist.
    fn state(&self, client: &ComputeClient<'_>) -> Result<Option<String>> {
        let found: Option<Value> =
            client.get(&self.path(client)?).map_err(failed(format!("cannot look at {}", self.name)))?;
        Ok(found.map(|found| found["status"].as_str().unwrap_or_default().to_owned()))
    }

    /// Waits until the machine is not changing its state, and returns the state.
    fn settled(&self, client: &ComputeClient<'_>, context: &Context) -> Result<Option<String>> {
        let is_settled = |state: &Option<String>| {
            state.as_deref().is_none_or(|state| matches!(state, "RUNNING" | "TERMINATED" | "STOPPED" | "SUSPENDED"))
        };
        self.wait_for(is_settled, client, context)
    }

    fn reach(&self, wanted: &str, client: &ComputeClient<'_>, context: &Context) -> Result<()> {
        self.wait_for(|state| state.as_deref() == Some(wanted), client, context).map(drop)
    }

    fn wait_for(
        &self,
        done: impl Fn(&Option<String>) -> bool,
        client: &ComputeClient<'_>,
        context: &Context,
    ) -> Result<Option<String>> {
        let mut state = self.state(client)?;
        // A fifth of the time is kept to report the state before the host stops the call.
        let patience = context.deadline.mul_f32(0.8);
        let is_done = clock::wait_until(patience, PAUSE, || {
            if !done(&state) {
                state = self.state(client)?;
            }
            Ok(done(&state))
        })?;
        if is_done {
            return Ok(state);
        }
        Err(Error::retryable(format!(
            "{} is still {}: look again later",
            self.name,
            state.as_deref().unwrap_or("gone")
        )))
    }

    fn act(&self, client: &ComputeClient<'_>, verb: &str, word: &str) -> Result<()> {
        let path = format!("{}/{verb}", self.path(client)?);
        let doing = format!("cannot {word} {}", self.name);
        client.change("POST", &path, "", None, &format!("{verb} of {}", self.name)).map_err(failed(doing))
    }
}

#[cfg(test)]
mod tests;
