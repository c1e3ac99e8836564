//! The begin and the end of a run: at the end everything is mended, and the services must come back in bounded time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{ConfigState, InstanceRecord, InstanceView, ObjectView, OrderVerb, StoreRevision};

use super::{Event, World};
use crate::invariant::converge;
use crate::scenario::{LONGEST_ORDER, WINDOW};
use crate::store::ObjectDocument;

/// When every order has ended and every node is back.
const TIDY: Duration = Duration::from_secs(LONGEST_ORDER.as_secs() + 25);

/// How long convergence may take: the orders' own time, the window in which attempts count, and a little.
pub(super) const CONVERGENCE: Duration = Duration::from_secs(TIDY.as_secs() + WINDOW.as_secs() + 20);

impl World {
    pub(super) fn begin_run(&mut self) {
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        for node in names {
            let at = Duration::from_millis(self.random.between(0, 2000));
            self.schedule_at(at, Event::DaemonStart { node });
        }
        let paths: Vec<ObjectPath> = self.scenario.objects.keys().cloned().collect();
        for path in paths {
            let late = self.random.percent(25);
            let at = Duration::from_millis(if late { self.random.between(0, 30_000) } else { 0 });
            self.schedule_at(at, Event::Create { path });
        }
        self.schedule_faults();
        self.schedule_hands();
        self.schedule_at(self.scenario.turmoil, Event::Heal);
        self.schedule_at(self.scenario.turmoil + TIDY, Event::Tidy);
    }

    /// An object is created: in the store before a daemon learns of it.
    pub(super) fn create(&mut self, path: &ObjectPath) {
        let Some(rules) = self.scenario.objects.get(path).cloned().map(Arc::new) else { return };
        let instance = InstanceView {
            config: ConfigState::Missing,
            frozen: false,
            failure: None,
            clears: 0,
            record: InstanceRecord::new(),
            status: None,
            running: None,
        };
        let view = ObjectView {
            config: StoreRevision(self.store.revision + 1),
            rules: None,
            tombstone: false,
            intent: None,
            maintenance: None,
            slots: Vec::new(),
            instances: rules.nodes.iter().map(|node| (node.clone(), instance.clone())).collect(),
        };
        let document = ObjectDocument { rules, view, published: BTreeMap::new() };
        self.store.objects.insert(path.clone(), Arc::new(document));
        self.changed_store();
    }

    /// Everything is mended.
    pub(super) fn heal(&mut self) {
        self.note(format_args!("healed"));
        self.healed = true;
        self.broken_configs.clear();
        self.store.nodes.values_mut().for_each(|node| node.frozen = false);
        for document in self.store.objects.values_mut() {
            let document = Arc::make_mut(document);
            document.view.config = StoreRevision(self.store.revision + 1);
        }
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        for name in &names {
            let Some(node) = self.nodes.get_mut(name) else { continue };
            node.cut = false;
            for resource in node.machine.resources.values_mut().flat_map(BTreeMap::values_mut) {
                resource.start_fails = false;
                resource.stop_fails = false;
                resource.silent = false;
            }
            self.power_on(name);
            self.start_daemon(name);
        }
        self.changed_store();
    }

    /// By now every order has ended. A person thaws and clears what is left, once.
    pub(super) fn tidy(&mut self) {
        let paths: Vec<ObjectPath> = self.scenario.objects.keys().cloned().collect();
        let Some(name) = self.scenario.nodes.first().cloned() else { return };
        for path in &paths {
            self.checks.ended_orders(&self.store, path);
            self.order(&name, path, OrderVerb::Abort, false);
            self.order(&name, path, OrderVerb::Thaw, false);
        }
    }

    /// What must hold at the end.
    pub(super) fn judge(&mut self) {
        let verdicts = converge::judge(self);
        verdicts.into_iter().for_each(|violation| self.checks.violate("converge", violation));
    }
}
