//! A service in a view, and short ways to change it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::object::{OrchestrateMode, PlacementPolicy, Topology};
use model::status::{Provisioned, State};
use model::{NodeName, ObjectPath, Rid};
use orchestrate::*;

/// A cluster whose node n1 decides.
pub(crate) struct Cluster {
    pub(crate) nodes: BTreeMap<NodeName, NodeView>,
    pub(crate) objects: BTreeMap<ObjectPath, ObjectView>,
    pub(crate) now: BootTime,
}

pub(crate) fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

pub(crate) fn path(name: &str) -> ObjectPath {
    name.parse().unwrap()
}

pub(crate) fn rid(text: &str) -> Rid {
    text.parse().unwrap()
}

pub(crate) fn at(seconds: u64) -> BootTime {
    BootTime::after_boot(Duration::from_secs(seconds))
}

impl Cluster {
    /// These nodes, all alive, at the hundredth second, with the service `web` of one application on all of them.
    pub(crate) fn new(names: &[&str]) -> Cluster {
        let nodes: Vec<NodeName> = names.iter().map(|name| node(name)).collect();
        let mut cluster = Cluster {
            nodes: nodes.iter().enumerate().map(|(index, node)| (node.clone(), node_view(index as u64 + 1))).collect(),
            objects: BTreeMap::new(),
            now: at(100),
        };
        cluster.add("web", rules(&nodes));
        cluster
    }

    pub(crate) fn add(&mut self, name: &str, rules: ObjectRules) -> &mut ObjectView {
        let instances = rules.nodes.iter().map(|node| (node.clone(), instance(&rules, State::Down)));
        let object = ObjectView {
            config: StoreRevision(1),
            tombstone: false,
            intent: None,
            maintenance: None,
            slots: Vec::new(),
            instances: instances.collect(),
            rules: Some(Arc::new(rules)),
        };
        self.objects.entry(path(name)).insert_entry(object).into_mut()
    }

    pub(crate) fn web(&mut self) -> &mut ObjectView {
        self.objects.get_mut(&path("web")).unwrap()
    }

    pub(crate) fn rules(&mut self) -> &mut ObjectRules {
        Arc::make_mut(self.web().rules.as_mut().unwrap())
    }

    pub(crate) fn on(&mut self, name: &str) -> &mut InstanceView {
        self.web().instances.get_mut(&node(name)).unwrap()
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut NodeView {
        self.nodes.get_mut(&node(name)).unwrap()
    }

    /// The resources of `web` on a node are in that state since second 50.
    pub(crate) fn is(&mut self, name: &str, state: State) {
        let rules = self.rules().clone();
        let instance = self.on(name);
        let status = instance.status.as_mut().unwrap();
        status.resources.values_mut().for_each(|resource| resource.state = state);
        let sequence = instance.record.sequence;
        instance.status = Some(StatusView::of(&rules, sequence, status.resources.clone()));
        if state == State::Up {
            instance.record.local_expect = LocalExpect::Started;
        }
    }

    /// A node holds a slot of `web`, confirmed if it is n1.
    pub(crate) fn holds(&mut self, name: &str, index: usize) {
        let incarnation = self.nodes[&node(name)].incarnation.unwrap();
        let slot = SlotView {
            index,
            revision: StoreRevision(50 + index as u64),
            state: SlotState::Held,
            owner: node(name),
            incarnation,
            confirmed: name == "n1",
        };
        self.web().slots.push(slot);
    }

    pub(crate) fn view(&self) -> View {
        let revision = StoreRevision(100);
        let cluster =
            ClusterState { timing: BeatTiming { lost_after: Duration::from_secs(6) }, maintenance: None, rejoin: None };
        let objects = self.objects.iter().map(|(path, object)| (path.clone(), Arc::new(object.clone())));
        let parts = ViewParts {
            nodes: Some((revision, self.nodes.clone())),
            objects: Some((revision, objects.collect())),
            cluster: Some((revision, cluster)),
            written: None,
        };
        View::new(parts, &node("n1")).unwrap()
    }

    /// What n1 decides about `web`.
    pub(crate) fn decide(&self) -> Decision {
        decide_object(&self.view(), &path("web"), &node("n1"), self.now)
    }

    /// What n1 does next with `web`, or why it does nothing: the action, the slot step or the reasons' codes.
    pub(crate) fn next(&self) -> String {
        let decision = self.decide();
        let steps: Vec<String> = decision.steps.iter().map(describe).collect();
        if steps.is_empty() {
            decision.reasons.iter().map(Reason::code).collect::<Vec<_>>().join(" ")
        } else {
            steps.join(" ")
        }
    }

    /// Gives an order on n1, and shows the object after its commit.
    pub(crate) fn order(&mut self, verb: OrderVerb) -> Result<OrderAcceptance, OrderRefusal> {
        let id = IntentId(self.now.since_boot().as_nanos());
        let order = OperatorOrder { id, verb, supersede: false, force: false, lifetime: Duration::from_secs(60) };
        let acceptance = accept(&self.view(), &path("web"), &node("n1"), self.now, &order)?;
        acceptance.changes.iter().for_each(|change| change.apply(self.web()));
        Ok(acceptance)
    }

    /// Does what n1 has decided, with success: an action changes the status, a slot is taken or given up, an outcome is written.
    pub(crate) fn step(&mut self) -> String {
        let decision = self.decide();
        let text = self.next();
        for step in decision.steps {
            self.follow(step);
        }
        self.now = self.now + Duration::from_secs(1);
        text
    }

    fn follow(&mut self, step: Step) {
        match step {
            Step::Act(step) => self.act("n1", &step, ActionEnd::Success),
            Step::Settle { id, outcome } => self.web().end_intent(id, outcome),
            Step::Bury { .. } => self.web().tombstone = true,
            Step::EndBoot => self.on("n1").record.boot = BootPhase::Over,
            Step::Slot(SlotStep::Release { .. }) => self.web().slots.clear(),
            Step::Slot(_) => self.holds("n1", 0),
            Step::PrepareMonitor => self.on("n1").record.monitor = Some(MonitorEpisode::Prepared),
            Step::Fence { .. } | Step::Monitor(_) => {}
        }
    }

    /// An action that a node did for `web`.
    pub(crate) fn act(&mut self, name: &str, step: &ActionStep, end: ActionEnd) {
        let now = self.now;
        let instance = self.on(name);
        instance.frozen |= step.freeze;
        let sequence = instance.record.begin(step, now);
        instance.record.end(step, &end, StoreRevision(101));
        if let ActionEnd::Failure(text) = &end
            && step.cause.blocks()
        {
            let (action, cause, text) = (step.action, step.cause, text.clone());
            instance.failure = Some(InstanceFailure { sequence, action, cause, text });
        }
        let success = end == ActionEnd::Success;
        let record = ActionRecord { sequence, action: step.action, end };
        let intent = self.web().intent.as_mut().filter(|intent| ActionCause::Intent(intent.id) == step.cause);
        if let Some(intent) = intent {
            intent.note(&node(name), record);
        }
        match step.action {
            InstanceAction::Start | InstanceAction::StartStandby if success => self.is(name, State::Up),
            InstanceAction::Stop | InstanceAction::Shutdown | InstanceAction::Unprovision if success => {
                self.is(name, State::Down);
            }
            InstanceAction::Delete if success => self.on(name).config = ConfigState::Missing,
            _ => {
                let state = self.on(name).status.as_ref().unwrap().resources.values().next().unwrap().state;
                self.is(name, state);
            }
        }
    }
}

fn describe(step: &Step) -> String {
    match step {
        Step::Act(step) => match &step.scope {
            ActionScope::Whole => step.action.to_string(),
            ActionScope::Resources(rids) => {
                format!("{} {}", step.action, rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(" "))
            }
        },
        Step::Slot(SlotStep::Take { .. }) => "take".to_owned(),
        Step::Slot(SlotStep::Reassert { .. }) => "reassert".to_owned(),
        Step::Slot(SlotStep::Release { .. }) => "release".to_owned(),
        Step::Fence { node } => format!("fence {node}"),
        Step::EndBoot => "end-boot".to_owned(),
        Step::PrepareMonitor => "prepare".to_owned(),
        Step::Monitor(action) => action.as_str().to_owned(),
        Step::Bury { .. } => "bury".to_owned(),
        Step::Settle { outcome, .. } => format!("settle {}", outcome.as_str()),
    }
}

pub(crate) fn node_view(registration: u64) -> NodeView {
    NodeView {
        incarnation: Some(NodeIncarnation { generation: 1, revision: StoreRevision(registration) }),
        evicted: false,
        beat: StoreRevision(40),
        heard: at(99),
        pinned: false,
        state: NodeState::Idle,
        frozen: false,
        maintenance: None,
        drain: None,
        score: 50,
        load: 100,
        fence: FenceState::Untried,
        max_parallel: 4,
    }
}

pub(crate) fn rules(nodes: &[NodeName]) -> ObjectRules {
    ObjectRules {
        nodes: nodes.to_vec(),
        drpnodes: Vec::new(),
        flex_primary: None,
        topology: Topology::Failover,
        orchestrate: OrchestrateMode::Ha,
        placement: PlacementPolicy::NodesOrder,
        priority: 50,
        disable: false,
        provision: true,
        unprovision: true,
        fence: false,
        parents: Vec::new(),
        children: Vec::new(),
        affinity: AffinityRules::default(),
        monitor_actions: Vec::new(),
        pre_monitor_action: false,
        starts: RestartRules::new(3, Duration::ZERO),
        resources: BTreeMap::from([(rid("app#1"), resource())]),
    }
}

pub(crate) fn resource() -> ResourceRules {
    ResourceRules {
        disable: false,
        optional: false,
        standby: false,
        monitor: false,
        restart: RestartRules::new(0, Duration::from_secs(1)),
        silent_probes: 3,
    }
}

fn instance(rules: &ObjectRules, state: State) -> InstanceView {
    let view = ResourceView { state, silent: 0, since: at(50), provisioned: Provisioned::True };
    let resources = rules.resources.keys().map(|rid| (rid.clone(), view)).collect();
    let record = InstanceRecord { boot: BootPhase::Clear, ..InstanceRecord::new() };
    InstanceView {
        config: ConfigState::Loaded(StoreRevision(1)),
        frozen: false,
        failure: None,
        clears: 0,
        status: Some(StatusView::of(rules, record.sequence, resources)),
        record,
        running: None,
    }
}
