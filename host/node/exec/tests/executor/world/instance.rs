//! The instance that a text describes.

use std::collections::BTreeSet;

use driver::Verb;
use model::Rid;
use model::object::{Requirement, Trigger};
use plan::{InstanceFacts, ResourceFacts};

/// The instance of a text, a resource a line: `fs#1 subset=a optional standby pre_start`.
pub(super) fn instance(lines: &str) -> InstanceFacts {
    let mut instance = InstanceFacts {
        object: "web".parse().unwrap(),
        node: "n1".parse().unwrap(),
        nodes: ["n1", "n2", "n3"].map(|name| name.parse().unwrap()).to_vec(),
        drpnodes: Vec::new(),
        resources: Vec::new(),
        parallel: BTreeSet::new(),
        rollback: true,
    };
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let rid: Rid = words.next().unwrap().parse().unwrap();
        let mut resource = ResourceFacts::new(rid.clone(), format!("{}.test", rid.group()).parse().unwrap());
        resource.targets = Some(vec!["nodes".to_owned()]);
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("optional", _) => resource.optional = true,
                ("standby", _) => resource.standby = true,
                ("disable", _) => resource.disable = true,
                ("parallel", subset) => {
                    instance.parallel.insert((rid.group(), subset.parse().unwrap()));
                    resource.subset = Some(subset.parse().unwrap());
                }
                ("start_requires", other) => {
                    let requirement = Requirement::up(other.parse().unwrap());
                    resource.requires.entry(Verb::Start).or_default().push(requirement);
                }
                (trigger, _) => {
                    resource.triggers.insert(parse_trigger(trigger));
                }
            }
        }
        instance.resources.push(resource);
    }
    instance
}

fn parse_trigger(name: &str) -> Trigger {
    Trigger::all().find(|trigger| trigger.to_string() == name).unwrap_or_else(|| panic!("no trigger {name:?}"))
}
