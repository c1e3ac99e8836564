//! A resource of an object: what its section means on one node.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{DriverName, Group, NodeName, Rid, SubsetName, Verb};

use super::{
    Exposure, ExposureLookup, GroupLimits, KeywordEvaluation, Requirement, ResolvedKeyword, Trigger, VerbTimeouts,
};

/// A schedule as it is written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSchedule {
    /// The keyword, such as `task#1.schedule` or `DEFAULT.run_schedule`.
    pub keyword: String,
    pub text: String,
}

/// A resource of an object, as its section means it on one node.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its id.
    pub rid: Rid,
    /// Its section, which is called otherwise where it is written the old way: `drbd#1` for disk#1.
    pub section: String,
    /// Its driver.
    pub driver: DriverName,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// The subset that it acts with.
    pub subset: Option<SubsetName>,
    /// Whether the object has it by itself, because it has several nodes.
    pub implicit: bool,
    /// Whether it is left alone.
    pub disable: bool,
    /// The other nodes of the object that leave it alone.
    pub disabled_on: Vec<NodeName>,
    /// Whether its failures are reported only.
    pub optional: bool,
    /// Whether it is up on every node.
    pub standby: bool,
    /// Whether every node sees the same one, so that the leader alone provisions it.
    pub shared: bool,
    /// Whether it lives inside a container.
    pub encap: bool,
    /// Whether its failure moves the object.
    pub monitor: bool,
    /// How many times the daemon restarts it.
    pub restart: u32,
    /// How long it waits between two restarts.
    pub restart_delay: Duration,
    /// Whether provision cares for it.
    pub provision: bool,
    /// Whether unprovision cares for it.
    pub unprovision: bool,
    /// The states of other resources that its verbs require.
    pub requires: BTreeMap<Verb, Vec<Requirement>>,
    /// Commands that run around its actions. One element an argument.
    pub triggers: BTreeMap<Trigger, Vec<String>>,
    /// How long its actions may take, those of the object included.
    pub timeouts: VerbTimeouts,
    /// When it runs by itself.
    pub schedule: Option<WrittenSchedule>,
    /// Whether a run that its schedule demanded and that could not begin is made good later, once.
    pub catch_up: bool,
    /// How many runs of the task go on at once.
    pub max_parallel: usize,
    /// The limits of what it runs.
    pub limits: GroupLimits,
    /// A comment for people.
    pub comment: String,
    /// The container whose network an address joins (`netns = container#1`): it acts with that container.
    pub joins: Option<Rid>,
    /// The driver's keywords, resolved but for what only other resources know.
    pub keywords: Vec<ResolvedKeyword>,
}

/// The keywords in which a container names others whose namespaces it shares.
const SHARING: [&str; 3] = ["netns", "pidns", "ipcns"];

/// The options of `run_args` for the same.
const SHARING_OPTIONS: [&str; 4] = ["--net", "--network", "--pid", "--ipc"];

impl Resource {
    /// The containers whose namespaces a container shares: it cannot go on without them.
    pub fn shares(&self) -> BTreeSet<Rid> {
        if self.rid.group() != Group::Container {
            return BTreeSet::new();
        }
        let named = |word: &str| {
            let rid: Rid = word.strip_prefix("container:").unwrap_or(word).parse().ok()?;
            Some(rid).filter(|rid| rid.group() == Group::Container && *rid != self.rid)
        };
        let said = |name: &str| {
            let keyword = self.keywords.iter().find(|keyword| keyword.name == name);
            keyword.and_then(|keyword| keyword.known.clone()).unwrap_or_default()
        };
        let keywords: Vec<String> = SHARING.iter().flat_map(|name| said(name)).collect();
        let words = said("run_args");
        let apart =
            words.windows(2).filter(|pair| SHARING_OPTIONS.contains(&pair[0].as_str())).map(|pair| pair[1].as_str());
        let together = words.iter().filter_map(|word| word.split_once('='));
        let together = together.filter(|(option, _)| SHARING_OPTIONS.contains(option)).map(|(_, value)| value);
        keywords.iter().map(String::as_str).chain(apart).chain(together).filter_map(named).collect()
    }

    /// The resources whose devices and mount points its keywords refer to: `{disk#1.exposed_devs[0]}`. An unwritten default that
    /// only provision needs counts if `provisioning` is set.
    pub fn speaks_of(&self, provisioning: bool) -> Vec<&Rid> {
        let mut rids: Vec<&Rid> = self.late(provisioning).map(|(rid, _)| rid).collect();
        rids.sort();
        rids.dedup();
        rids
    }

    /// The same, with what of each resource is meant. It may be there more than once.
    pub fn late(&self, provisioning: bool) -> impl Iterator<Item = (&Rid, Exposure)> {
        let keywords = self.keywords.iter().filter(move |keyword| provisioning || !keyword.aside);
        keywords.flat_map(|keyword| keyword.value.late()).map(|late| (&late.rid, late.exposure))
    }

    /// The driver's keywords, in canonical form. The devices of other resources are asked of `exposed` now.
    pub fn evaluate(&self, exposed: &dyn ExposureLookup) -> KeywordEvaluation {
        let mut evaluation = KeywordEvaluation::default();
        for keyword in &self.keywords {
            keyword.evaluate(exposed, &mut evaluation);
        }
        evaluation
    }
}
