//! Instances for the tests, a resource a line: `app#1 down subset=web optional start_requires=fs#1(up)`.

use std::collections::BTreeSet;

use model::object::{Requirement, Trigger};
use model::status::{Provisioned, State};
use model::{Rid, Verb};
use plan::{Action, InstanceFacts, PassiveReason, Plan, PlanError, PlanRequest, ResourceFacts, plan};

/// An instance of the object `web` on node `n1`. A line `parallel <group>:<subset>` makes a subset parallel.
pub(crate) fn instance(lines: &str) -> InstanceFacts {
    let mut instance = InstanceFacts {
        object: "web".parse().unwrap(),
        node: "n1".parse().unwrap(),
        nodes: ["n1", "n2", "n3"].map(|name| name.parse().unwrap()).to_vec(),
        drpnodes: vec!["n4".parse().unwrap()],
        resources: Vec::new(),
        parallel: BTreeSet::new(),
        rollback: true,
    };
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("parallel ") {
            Some(subset) => {
                let (group, name) = subset.split_once(':').unwrap();
                instance.parallel.insert((group.parse().unwrap(), name.parse().unwrap()));
            }
            None => instance.resources.push(resource(line)),
        }
    }
    instance
}

fn resource(line: &str) -> ResourceFacts {
    let mut words = line.split_whitespace();
    let rid = rid(words.next().unwrap());
    let driver = format!("{}.test", rid.group()).parse().unwrap();
    let mut resource = ResourceFacts::new(rid, driver);
    resource.provisioned = Provisioned::True;
    words.for_each(|word| set(&mut resource, word));
    resource
}

fn set(resource: &mut ResourceFacts, word: &str) {
    match word.split_once('=').unwrap_or((word, "")) {
        ("up", _) => resource.state = State::Up,
        ("down", _) => resource.state = State::Down,
        ("warn", _) => resource.state = State::Warn,
        ("stdby-up", _) => (resource.state, resource.standby) = (State::StdbyUp, true),
        ("stdby-down", _) => (resource.state, resource.standby) = (State::StdbyDown, true),
        ("unprovisioned", _) => resource.provisioned = Provisioned::False,
        ("disable", _) => (resource.disable, resource.state) = (true, State::Na),
        ("encap", _) => (resource.encap, resource.state) = (true, State::Na),
        ("undef", _) => resource.state = State::Undef,
        ("optional", _) => resource.optional = true,
        ("shared", _) => resource.shared = true,
        ("migrates", _) => resource.migrates = true,
        ("disabled_on", node) => resource.disabled_on.push(node.parse().unwrap()),
        ("passive", _) => resource.passive = Some(PassiveReason::NotRunning(State::Down)),
        ("provision", _) => resource.provision = false,
        ("unprovision", _) => resource.unprovision = false,
        ("target", words) => resource.targets = Some(words.split(',').map(str::to_owned).collect()),
        ("subset", name) => resource.subset = Some(name.parse().unwrap()),
        ("place", path) => resource.place = Some(path.into()),
        ("path", path) => resource.paths.push(path.into()),
        ("netns", name) => resource.netns = Some(rid(name)),
        ("shares", names) => resource.shares = names.split(',').map(rid).collect(),
        ("start_requires", what) => require(resource, Verb::Start, what),
        ("stop_requires", what) => require(resource, Verb::Stop, what),
        ("blocking_pre_start", _) => trigger(resource, "blocking_pre_start"),
        ("post_start", _) => trigger(resource, "post_start"),
        (other, _) => panic!("the tests do not know {other:?}"),
    }
}

/// `fs#1(up,warn)`, or `fs#1` for the default states.
fn require(resource: &mut ResourceFacts, verb: Verb, what: &str) {
    let (name, states) = what.trim_end_matches(')').split_once('(').unwrap_or((what, ""));
    let states = states.split(',').filter(|state| !state.is_empty()).map(|state| match state {
        "up" => State::Up,
        "down" => State::Down,
        "warn" => State::Warn,
        other => panic!("the tests do not know the state {other:?}"),
    });
    let requirement = match states.clone().next() {
        None => Requirement::up(rid(name)),
        Some(_) => Requirement { rid: rid(name), states: states.collect() },
    };
    resource.requires.entry(verb).or_default().push(requirement);
}

fn trigger(resource: &mut ResourceFacts, name: &str) {
    resource.triggers.extend(Trigger::all().filter(|trigger| trigger.to_string() == name));
}

pub(crate) fn rid(text: &str) -> Rid {
    text.parse().unwrap()
}

/// The plan of an action on everything.
pub(crate) fn planned(lines: &str, action: Action) -> Result<Plan, PlanError> {
    plan(&instance(lines), &PlanRequest::new(action))
}

/// The plan of a request that `ask` completes.
pub(crate) fn asked(lines: &str, action: Action, ask: impl FnOnce(&mut PlanRequest)) -> Result<Plan, PlanError> {
    let mut request = PlanRequest::new(action);
    ask(&mut request);
    plan(&instance(lines), &request)
}

/// `[ip#1] [disk#1 disk#2]`: the stages, a skipped step in parentheses.
pub(crate) fn outline(plan: &Plan) -> String {
    let name = |step: &plan::PlanStep| match step.skip() {
        Some(_) => format!("({})", step.rid),
        None => step.rid.to_string(),
    };
    let stage = |stage: &plan::PlanStage| format!("[{}]", stage.steps.iter().map(name).collect::<Vec<_>>().join(" "));
    plan.stages().map(stage).collect::<Vec<_>>().join(" ")
}
