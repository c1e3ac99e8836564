//! A domain of libvirt, as virsh(1) reports it.

use hostler_sdk::prelude::*;

pub(crate) const VIRSH: &str = "/usr/bin/virsh";

/// How long virsh may take to look. It looks at a libvirt of this node, which answers in milliseconds unless it hangs.
const LOOK: Duration = Duration::from_secs(10);

/// The addresses of the libvirts of this node. Other transports lead to other nodes, or run programs.
const LOCAL: [&str; 4] =
    ["qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/", "qemu+unix:///session?socket=/"];

/// The state of a domain, as virsh names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DomainState {
    Running,
    Paused,
    /// Paused by libvirt itself: the domain is migrating to or from another node, or a migration was interrupted at its end.
    Moving,
    ShutOff,
    /// The guest has crashed, and libvirt keeps its memory for analysis.
    Crashed,
    /// Suspended to memory by the guest itself.
    Asleep,
    /// A transitional state.
    Other(String),
}

/// A domain that libvirt knows on this node.
pub(crate) struct LibvirtDomain {
    pub(crate) state: DomainState,
    /// Whether libvirt keeps its definition once it is shut off.
    pub(crate) is_persistent: bool,
    /// Whether its memory was saved to disk: a start goes on where it was.
    pub(crate) is_saved: bool,
    starts_by_itself: bool,
}

impl LibvirtDomain {
    /// The domain of that name, or None.
    pub(crate) fn find(uri: &str, name: &str) -> Result<Option<LibvirtDomain>> {
        // -r: a read-only connection cannot change anything.
        let look = || Command::new(VIRSH).args(["-r", "-c", uri]).timeout(LOOK);
        let is_known = || -> Result<bool> {
            Ok(look().args(["list", "--all", "--name"]).check()?.text().lines().any(|line| line.trim() == name))
        };
        // `dominfo` fails for an unknown domain as it fails for a broken libvirt, so ask the list first.
        if !is_known()? {
            return Ok(None);
        }
        let domain = look().args(["dominfo", "--", name]).check().and_then(|output| {
            let mut domain = LibvirtDomain::read(&output.text());
            // Only the reason distinguishes a guest that the operator paused from one that libvirt paused for a migration.
            let reason = || look().args(["domstate", "--reason", "--", name]).check();
            if domain.state == DomainState::Paused && reason()?.text().ends_with("(migrating)") {
                domain.state = DomainState::Moving;
            }
            Ok(domain)
        });
        match domain {
            Ok(domain) => Ok(Some(domain)),
            // A transient domain vanishes when it shuts off, perhaps between two of these commands.
            Err(error) => {
                if is_known()? {
                    Err(error)
                } else {
                    Ok(None)
                }
            }
        }
    }

    fn read(text: &str) -> LibvirtDomain {
        // Words and keys are those of the C locale, in which the host runs programs.
        let pairs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).collect();
        let of = |key| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1.trim()).unwrap_or_default();
        LibvirtDomain {
            state: DomainState::read(of("State")),
            is_persistent: of("Persistent") == "yes",
            is_saved: of("Managed save") == "yes",
            starts_by_itself: of("Autostart") == "enable",
        }
    }

    pub(crate) fn status(&self, name: &str) -> Status {
        let status = match &self.state {
            DomainState::Running => Status::up(),
            DomainState::ShutOff => Status::down(),
            DomainState::Paused => Status::up().degraded("paused: a start resumes it"),
            DomainState::Moving => Status::up().degraded(moving(name)),
            DomainState::Crashed => Status::down().degraded("the guest has crashed: a start boots it again"),
            DomainState::Asleep => Status::up().degraded("the guest has suspended itself: a start wakes it"),
            DomainState::Other(state) => Status::up().degraded(state),
        };
        let status = match self.is_saved {
            true => status.info("its memory is saved: a start goes on where it was"),
            false => status,
        };
        let status = match self.starts_by_itself {
            true => status.warning(format!("libvirt starts it by itself: virsh autostart --disable {name}")),
            false => status,
        };
        status.provisioned(self.is_persistent)
    }
}

impl DomainState {
    /// The word of virsh for the state.
    pub(crate) fn word(&self) -> &str {
        match self {
            DomainState::Running => "running",
            DomainState::Paused => "paused",
            DomainState::Moving => "paused by the migration",
            DomainState::ShutOff => "shut off",
            DomainState::Crashed => "crashed",
            DomainState::Asleep => "pmsuspended",
            DomainState::Other(state) => state,
        }
    }

    fn read(text: &str) -> DomainState {
        match text {
            // A guest that waits for its devices is idle.
            "running" | "idle" => DomainState::Running,
            "paused" => DomainState::Paused,
            "shut off" => DomainState::ShutOff,
            "crashed" => DomainState::Crashed,
            "pmsuspended" => DomainState::Asleep,
            other => DomainState::Other(other.to_owned()),
        }
    }
}

/// A message for a guest that may run on another node.
pub(crate) fn moving(name: &str) -> String {
    format!(
        "paused by a migration that is under way or was cut short: if {name} runs nowhere else, virsh resume {name}"
    )
}

/// The problem with a name. virsh would read a number or a UUID as the id of another domain before it looks for a name.
pub(crate) fn fault_of_name(name: &str) -> Option<String> {
    let is_uuid =
        name.replace('-', "").len() == 32 && name.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let is_number = name.chars().all(|letter| letter.is_ascii_digit());
    let is_legal = !name.contains(['/', '\n']) && name.trim() == name;
    (is_number || is_uuid || !is_legal).then(|| {
        format!(
            "{name:?} is not a name for a domain: numbers, UUIDs, slashes and white space at the ends are not allowed"
        )
    })
}

pub(crate) fn fault_of_uri(uri: &str) -> Option<String> {
    let is_local = |known: &&str| if known.ends_with('/') { uri.starts_with(*known) } else { uri == *known };
    let is_plain = !uri.contains(['&', '#', '%']);
    (!LOCAL.iter().any(is_local) || !is_plain)
        .then(|| format!("{uri} is not a libvirt of this node: qemu:///system, or qemu+unix:///system?socket=PATH"))
}

/// The domain's name in an XML description: the first `<name>` outside of comments.
pub(crate) fn name_in(xml: &str) -> Option<String> {
    let mut rest = xml;
    let mut plain = String::new();
    while let Some((before, comment)) = rest.split_once("<!--") {
        plain.push_str(before);
        rest = comment.split_once("-->")?.1;
    }
    plain.push_str(rest);
    let name = plain.split_once("<name>")?.1.split_once("</name>")?.0;
    Some(name.trim().to_owned())
}
