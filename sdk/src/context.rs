//! The context of a call: everything that a driver knows beyond its keywords.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use crate::bindings::hostler::driver::types::ResourceContext;
use crate::{Error, Result, clock};

/// The object, resource and node that a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The object's canonical path, such as `web` or `ns1/svc/web`.
    pub object: String,
    /// The resource's id, such as `fs#1`.
    pub rid: String,
    /// The name of this node.
    pub node: String,
    /// How long the call may take. The host stops a call that takes longer.
    pub deadline: Duration,
    vars: Vec<(String, String)>,
}

impl Context {
    pub(crate) fn of(wire: &ResourceContext) -> Context {
        Context {
            object: wire.object.clone(),
            rid: wire.rid.clone(),
            node: wire.node.clone(),
            deadline: Duration::from_millis(wire.deadline_ms),
            vars: wire.vars.iter().map(|var| (var.key.clone(), var.value.clone())).collect(),
        }
    }

    /// For tests: the context of a resource of the object `web` on the node `n1`. Its directories are below `/run/hostler`
    /// and `/var/lib/hostler`; on a [`Host`](crate::fake::Host), as on a node, they exist before the first call.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fake(rid: &str) -> Context {
        Context {
            object: "web".to_owned(),
            rid: rid.to_owned(),
            node: "n1".to_owned(),
            deadline: Duration::from_secs(60),
            vars: vec![
                ("rundir".to_owned(), "/run/hostler/svc/web".to_owned()),
                ("statedir".to_owned(), format!("/var/lib/hostler/svc/web/driver/{rid}")),
                ("config".to_owned(), "/etc/hostler/web.conf".to_owned()),
            ],
        }
    }

    /// For tests: the same context with one more variable.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn with(mut self, name: &str, value: &str) -> Context {
        // Replaced and not only added, because the first variable of a name is the one that is read.
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable that the host adds to the configuration, by its name.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The variables that the operator set for the programs of this action (`-e NAME=VALUE`).
    pub fn asked_environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().filter_map(|(name, value)| Some((name.strip_prefix("env.")?, value.as_str())))
    }

    /// A value (`netns`, `pid` or `id`) that is exposed at this moment by the resource that this one joins
    /// (`netns = container#1`). None while that resource is down.
    pub fn joined(&self, name: &str) -> Option<&str> {
        self.var(&format!("joined.{name}"))
    }

    /// The object's run directory, which a reboot empties.
    pub fn rundir(&self) -> Result<PathBuf> {
        self.directory("rundir")
    }

    /// The resource's state directory, which survives a reboot. It exists before any call that may write, if a grant names
    /// `{statedir}`. For a few values, [`state`](crate::state) needs neither a grant nor a file.
    pub fn statedir(&self) -> Result<PathBuf> {
        self.directory("statedir")
    }

    /// The file that holds the object's configuration.
    pub fn config(&self) -> Result<PathBuf> {
        self.directory("config")
    }

    /// The object's `nodes` without this node.
    pub fn peers(&self) -> Vec<&str> {
        self.without_self("nodes")
    }

    /// The object's `drpnodes` without this node.
    pub fn drp_peers(&self) -> Vec<&str> {
        self.without_self("drpnodes")
    }

    fn without_self(&self, name: &str) -> Vec<&str> {
        self.var(name).unwrap_or_default().split_whitespace().filter(|node| *node != self.node).collect()
    }

    /// Whether the operator passed `--force`, to go on where the driver would otherwise refuse.
    pub fn force(&self) -> bool {
        self.var("force") == Some("true")
    }

    /// Whether the operator passed `--adopt`, to take on what stands in the way of a start; see
    /// [`holdings::adopt`](crate::holdings::adopt).
    pub fn adopt(&self) -> bool {
        self.var("adopt") == Some("true")
    }

    /// Whether this node is the one that does work which only one node of the object must do.
    pub fn leader(&self) -> bool {
        self.var("leader") == Some("true")
    }

    /// The nodes that may run the object.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.var("nodes").unwrap_or_default().split_whitespace()
    }

    /// The peers on which the configuration disables this resource. Nothing on them has a right to what the resource uses.
    pub fn disabled_nodes(&self) -> impl Iterator<Item = &str> {
        self.var("disabled_nodes").unwrap_or_default().split_whitespace()
    }

    /// A new UUID. `what` distinguishes UUIDs that are made for the same resource at the same time.
    pub fn new_uuid(&self, what: impl Hash) -> String {
        let now = clock::since_boot();
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            // A driver has no source of randomness; the session id is random and differs between actions.
            (salt, self.var("sid"), &self.object, &self.rid, &self.node, now).hash(&mut hasher);
            what.hash(&mut hasher);
            hasher.finish()
        };
        // Two halves, because a hash of the standard library has 64 bits.
        let (high, low) = (half(1), half(2));
        // Version 8 (custom) and the variant bits, see RFC 9562 §5.8.
        let (high, low) = ((high & !0xf000) | 0x8000, (low & (u64::MAX >> 2)) | 0x8000_0000_0000_0000);
        let (a, b, c, d, e) = (high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }

    fn directory(&self, name: &str) -> Result<PathBuf> {
        // Not InvalidConfig: no edit of the configuration would help.
        self.var(name).map(PathBuf::from).ok_or_else(|| Error::Failed(format!("the host did not name its {name}")))
    }
}
