//! What the planner knows of an instance: plain views, filled in by whoever holds configuration and status.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driver::Verb;
use model::status::{Provisioned, State};
use model::{DriverName, Group, NodeName, ObjectPath, Rid};

/// An object on this node, with the present state of its resources.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The object.
    pub object: ObjectPath,
    /// This node.
    pub node: NodeName,
    /// The resources, in any order.
    pub resources: Vec<Resource>,
    /// The subsets whose members act at the same time.
    pub parallel: BTreeSet<(Group, String)>,
    /// `DEFAULT.rollback`.
    pub rollback: bool,
}

/// A resource of the instance.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its id.
    pub rid: Rid,
    /// Its driver.
    pub driver: DriverName,
    /// The subset it is a member of.
    pub subset: Option<String>,
    /// Left alone by every action.
    pub disable: bool,
    /// Lives inside a container, whose own agent acts on it.
    pub encap: bool,
    /// Its errors are reported, and never interrupt.
    pub optional: bool,
    /// Up on every node, wherever the service is.
    pub standby: bool,
    /// Every node sees the same one.
    pub shared: bool,
    /// Whether its driver can move it to another node while it is up.
    pub migrates: bool,
    /// Whether the node that a migration goes to leaves it alone.
    pub disabled_there: bool,
    /// Whether `provision` may provision it.
    pub provision: bool,
    /// Whether `unprovision` may unprovision it.
    pub unprovision: bool,
    /// The container whose network namespace an ip goes into.
    pub netns: Option<Rid>,
    /// `<verb>_requires`.
    pub requires: BTreeMap<Verb, Vec<Require>>,
    /// The triggers that are set. What they run is the executor's site's to know.
    pub triggers: BTreeSet<Trigger>,
    /// How long each verb may take.
    pub timeouts: Timeouts,
    /// Why a sync leaves it alone, unless it is forced.
    pub passive: Option<Passive>,
    /// How it is now.
    pub state: State,
    /// Why its driver cannot be asked. What is to act on it will fail.
    pub fault: Option<String>,
    /// Whether it is provisioned now.
    pub provisioned: Provisioned,
}

impl Resource {
    /// A resource with every keyword at its default, whose state is not known.
    pub fn new(rid: Rid, driver: DriverName) -> Resource {
        Resource {
            rid,
            driver,
            subset: None,
            disable: false,
            encap: false,
            optional: false,
            standby: false,
            shared: false,
            migrates: false,
            disabled_there: false,
            provision: true,
            unprovision: true,
            netns: None,
            requires: BTreeMap::new(),
            triggers: BTreeSet::new(),
            timeouts: Timeouts::default(),
            passive: None,
            state: State::Undef,
            fault: None,
            provisioned: Provisioned::Undef,
        }
    }
}

/// Why this node is not the one to copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passive {
    /// The service is in this state here.
    NotRunning(State),
    /// The service runs on several nodes, of which this one is the first.
    NotPrimary(NodeName),
}

/// One word of a `<verb>_requires`: another resource, and the states that are good enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// The other resource.
    pub rid: Rid,
    /// Any of these. Empty stands for up and stdby up.
    pub states: BTreeSet<State>,
}

impl Require {
    /// Whether a resource in this state is good enough.
    pub fn accepts(&self, state: State) -> bool {
        match self.states.is_empty() {
            true => matches!(state, State::Up | State::StdbyUp),
            false => self.states.contains(&state),
        }
    }

    /// The states that are good enough, the default filled in.
    pub fn accepted(&self) -> Vec<State> {
        match self.states.is_empty() {
            true => vec![State::Up, State::StdbyUp],
            false => self.states.iter().copied().collect(),
        }
    }
}

/// When a trigger runs, in the order in which they run around a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Before; an error means that the verb is not even tried.
    BlockingPre,
    /// Before; an error is a warning.
    Pre,
    /// After; an error fails the step.
    BlockingPost,
    /// After; an error is a warning.
    Post,
}

/// A trigger, such as `blocking_pre_start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trigger {
    /// When.
    pub moment: Moment,
    /// Around which verb.
    pub verb: Verb,
}

impl std::fmt::Display for Trigger {
    /// The keyword's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = match self.moment {
            Moment::BlockingPre => "blocking_pre",
            Moment::Pre => "pre",
            Moment::BlockingPost => "blocking_post",
            Moment::Post => "post",
        };
        f.pad(&format!("{moment}_{}", self.verb))
    }
}

/// How long the verbs may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For every verb that has none of its own.
    pub default: Duration,
    /// `<verb>_timeout`.
    pub verbs: BTreeMap<Verb, Duration>,
}

impl Timeouts {
    /// How long `verb` may take.
    pub fn of(&self, verb: Verb) -> Duration {
        self.verbs.get(&verb).copied().unwrap_or(self.default)
    }
}

impl Default for Timeouts {
    /// One hour, and one minute for a look.
    fn default() -> Timeouts {
        let minute = Duration::from_secs(60);
        Timeouts { default: 60 * minute, verbs: BTreeMap::from([(Verb::Status, minute)]) }
    }
}
