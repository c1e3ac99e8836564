//! `container.kvm`: a virtual machine of libvirt, by virsh.
//!
//! Up: the domain runs. Down: it is shut off, or not defined here. Start boots it, or resumes it if it is paused. Stop asks the
//! guest to shut down, again and again, and powers it off after `grace`. Provision defines the domain from `xml`; unprovision removes the
//! definition, but no disk. A migration moves the running guest to the libvirt of another node; both nodes keep its
//! definition. See virsh(1).

mod domain;
#[macro_use]
mod migration;

use hostler_sdk::prelude::*;

use crate::domain::{DomainState, LibvirtDomain};

/// A virtual machine of libvirt.
///
/// libvirt must run on the node; the driver neither starts nor stops it. The disks of the machine are devices of other
/// resources, or files on them. Only the agent should start the machine: do not use `virsh autostart`.
///
/// `om <path> instance migrate --to NODE` moves it while it runs. This node must reach the libvirt of the other node
/// (`migration_transport`), which must see the same disks at the same paths: set `shared = true` in the resources of the disks,
/// and disable libvirt's cache (`cache='none'`). The network for the guest's memory is set in qemu.conf of the other node
/// (`migration_host`).
#[derive(Keywords)]
struct VirtualMachine {
    /// The name of the domain, as `virsh list --all` shows it.
    #[keyword(example = "web")]
    name: String,
    /// The XML file that describes the domain, see <https://libvirt.org/formatdomain.html>. Its `<name>` must be `name`. A
    /// domain that is already defined stays as it is. Without a file, the domain must be defined by other means.
    #[keyword(provisioning, example = "/etc/libvirt/qemu-site/{name}.xml")]
    xml: Option<PathBuf>,
    /// The address of the node's libvirt: `qemu:///system`, or `qemu+unix:///system?socket=` followed by the path of its socket.
    #[keyword(default = "qemu:///system", example = "qemu+unix:///system?socket=/run/libvirt/virtqemud-sock")]
    uri: String,
    /// How long the guest may take to shut down before it is powered off. At most half of `stop_timeout`.
    #[keyword(default = "2m", example = "5m")]
    grace: Duration,
    /// The transport to the libvirt of the other node: ssh as root, with the keys that ssh(1) finds; tls with libvirt's
    /// certificates; or tcp, which is neither authenticated nor encrypted.
    #[keyword(default = "ssh", candidates("ssh", "tls", "tcp"))]
    migration_transport: String,
    /// The maximum bandwidth of a migration, in MiB per second.
    #[keyword(example = "100")]
    migration_bandwidth: Option<u64>,
    /// How long the guest keeps running during its migration. After that it is paused until the rest of its memory is sent. This
    /// is for guests that change their memory faster than it can be sent.
    #[keyword(example = "5m")]
    migration_suspend_after: Option<Duration>,
}

/// How often to look whether the guest has shut down.
const PAUSE: Duration = Duration::from_millis(500);

/// How often to ask it again.
const REPEAT: Duration = Duration::from_secs(5);

/// How long libvirt may take to pass on the request.
const ASK: Duration = Duration::from_secs(10);

#[driver(migrate)]
impl Driver for VirtualMachine {
    const NAME: &str = "container.kvm";
    const GRANTS: &[&str] = &[
        "files.read = {kw:xml}",
        "exec(read) = /usr/bin/virsh -r -c {kw:uri} list --all --name",
        "exec(read) = /usr/bin/virsh -r -c {kw:uri} dominfo -- {kw:name}",
        "exec(read) = /usr/bin/virsh -r -c {kw:uri} domstate --reason -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} define -- {kw:xml}",
        "exec = /usr/bin/virsh -c {kw:uri} start -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} resume -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} dompmwakeup -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} shutdown -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} destroy -- {kw:name}",
        "exec = /usr/bin/virsh -c {kw:uri} undefine --nvram --managed-save -- {kw:name}",
        grant_migrate!("exec(caps=cap_setpcap)", "qemu+ssh://{peer}/system?no_tty=1"),
        grant_migrate!("exec", "qemu+tls://{peer}/system"),
        grant_migrate!("exec", "qemu+tcp://{peer}/system"),
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let name = domain::fault_of_name(&self.name).map(|text| Problem::new("name", text));
        let uri = domain::fault_of_uri(&self.uri).map(|text| Problem::new("uri", text));
        Ok(name.into_iter().chain(uri).collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match self.domain() {
            Err(Error::Failed(why)) => Status::undefined(why),
            Err(Error::Retryable(why)) => Status::undefined(format!("libvirt does not answer: {why}")),
            Err(error) => return Err(error),
            Ok(None) => Status::down().info("not defined here").provisioned(false),
            Ok(Some(domain)) => domain.status(&self.name),
        };
        Ok(status.label(&self.name))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let name = &self.name;
        let absent = || Error::failed(format!("{name} is not defined here: provision it, or see virsh define"));
        match self.domain()?.ok_or_else(absent)?.state {
            DomainState::Running => return Ok(Outcome::unchanged(format!("{name} already runs"))),
            DomainState::Paused => self.virsh("resume")?,
            // The guest may run on another node, on the same disks: starting it here could destroy them.
            DomainState::Moving => return Err(Error::failed(domain::moving(name))),
            DomainState::ShutOff => self.boot()?,
            DomainState::Asleep => self.virsh("dompmwakeup")?,
            // A crashed domain keeps its resources until it is destroyed, and cannot be started before that.
            DomainState::Crashed => {
                self.virsh("destroy")?;
                self.boot()?;
            }
            DomainState::Other(state) => {
                return Err(Error::failed(format!("{name} is {state}: wait, or virsh destroy {name}")));
            }
        }
        Ok(Outcome::changed(format!("{name} runs")))
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let name = &self.name;
        let state = self.state()?;
        if state == DomainState::ShutOff {
            return Ok(Outcome::unchanged(format!("{name} is already off")));
        }
        // Half of the time is kept for powering off a guest that ignores the request.
        let grace = self.grace.min(context.deadline / 2);
        match self.shuts_down_within(grace, &state)? {
            None => return Ok(Outcome::changed(format!("{name} has shut down"))),
            Some(why) => log::warn(format!("{name} {why}: it is powered off")),
        }
        if let Err(error) = self.virsh("destroy") {
            // The guest may have shut down in this moment.
            return if self.is_off()? { Ok(Outcome::changed(format!("{name} has shut down"))) } else { Err(error) };
        }
        Ok(Outcome::changed(format!("{name} was powered off")))
    }

    fn provision(&self, _: &Context) -> Result<Outcome> {
        let name = &self.name;
        if self.domain()?.is_some_and(|domain| domain.is_persistent) {
            return Ok(Outcome::unchanged(format!("{name} is already defined")));
        }
        let Some(xml) = &self.xml else {
            return Err(Error::invalid_config(format!("xml is not set: there is no file to define {name} from")));
        };
        let shown = xml.display();
        let found = domain::name_in(&files::read_text(xml)?).unwrap_or_default();
        // virsh would define whatever the file describes, perhaps a domain of another resource.
        if found != *name {
            return Err(Error::invalid_config(format!(
                "xml: {shown} describes {found:?}, not {name:?}: see its <name>"
            )));
        }
        self.command("define", &shown).check()?;
        Ok(Outcome::changed(format!("defined {name} from {shown}")))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        let name = &self.name;
        match self.domain()? {
            // A running guest keeps the definition in use, and libvirt would make it transient.
            Some(domain) if domain.state != DomainState::ShutOff => {
                return Err(Error::failed(format!("{name} is not shut off: stop it first")));
            }
            Some(_) => {}
            None => return Ok(Outcome::unchanged(format!("{name} is not defined"))),
        }
        // --nvram: libvirt created the file of the firmware's variables with the domain, and refuses to leave it behind.
        // --managed-save: nor does it leave behind the memory that it saved.
        let words = ["-c", &self.uri, "undefine", "--nvram", "--managed-save", "--", name];
        Command::new(domain::VIRSH).args(words).check()?;
        Ok(Outcome::changed(format!("{name} is no longer defined, its disks are unchanged")))
    }
}

impl VirtualMachine {
    fn domain(&self) -> Result<Option<LibvirtDomain>> {
        LibvirtDomain::find(&self.uri, &self.name)
    }

    fn command(&self, verb: &str, operand: impl std::fmt::Display) -> Command {
        Command::new(domain::VIRSH).args(["-c", &self.uri, verb, "--"]).arg(operand.to_string())
    }

    fn virsh(&self, verb: &str) -> Result<()> {
        self.command(verb, &self.name).check().map(drop)
    }

    /// Boots a domain that is off. One whose memory was saved while it was paused comes back paused, in a state that looks like that of
    /// a migration.
    fn boot(&self) -> Result<()> {
        self.virsh("start")?;
        match self.state()? {
            DomainState::Paused | DomainState::Moving => self.virsh("resume"),
            _ => Ok(()),
        }
    }

    /// Asks the guest to shut down until it is off. Why it is not, if so.
    ///
    /// One request is not enough: a guest that boots misses it, and libvirt refuses it while it is busy with another one.
    fn shuts_down_within(&self, grace: Duration, state: &DomainState) -> Result<Option<String>> {
        match state {
            // The guest may run on another node: to resume it here could destroy its disks.
            DomainState::Moving => {
                return Ok(Some("cannot be asked to shut down: a migration has paused it".to_owned()));
            }
            DomainState::Crashed => return Ok(Some("has crashed".to_owned())),
            _ => {}
        }
        let (mut next, mut refusal) = (clock::since_boot(), None);
        let is_off = clock::wait_until(grace, PAUSE, || {
            let state = self.state()?;
            if state == DomainState::ShutOff {
                return Ok(true);
            }
            let now = clock::since_boot();
            if now < next {
                return Ok(false);
            }
            refusal = match self.ask_to_shut_down(&state) {
                Ok(()) => None,
                Err(Error::Failed(why) | Error::Retryable(why)) => Some(why),
                Err(error) => return Err(error),
            };
            // libvirt refuses it while it is busy, which passes: it is asked again soon.
            next = now + if refusal.is_none() { REPEAT } else { PAUSE };
            Ok(false)
        })?;
        let refused = |why| format!("cannot be asked to shut down: {why}");
        let deaf = || format!("has not shut down within {}s", grace.as_secs());
        Ok((!is_off).then(|| refusal.map_or_else(deaf, refused)))
    }

    /// A guest must run to receive the request.
    fn ask_to_shut_down(&self, state: &DomainState) -> Result<()> {
        match state {
            DomainState::Paused => self.virsh("resume")?,
            DomainState::Asleep => self.virsh("dompmwakeup")?,
            _ => {}
        }
        self.command("shutdown", &self.name).timeout(ASK).check().map(drop)
    }

    /// The state of the domain. A domain that is not defined counts as shut off.
    fn state(&self) -> Result<DomainState> {
        Ok(self.domain()?.map_or(DomainState::ShutOff, |domain| domain.state))
    }

    fn is_off(&self) -> Result<bool> {
        Ok(self.state()? == DomainState::ShutOff)
    }
}

#[cfg(test)]
mod tests;
