//! What happens on the node: which instances it concerns, and that they are looked at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Group, ObjectPath};
use protocol::ConfigTarget;
use protocol::daemon::EventKind;
use serde_json::json;

use super::Owner;
use super::reading::has_instances;
use crate::guard::GuardPolicy;
use crate::instance::Instance;
use crate::watch::Notice;

/// Between two looks because of mounts or addresses there is so much time: they change in bursts.
const BURST: Duration = Duration::from_millis(100);

/// So long after the end of a process, a check that asks for its number is not deceived by what its parent has not waited for yet.
const SETTLED: Duration = Duration::from_secs(1);

impl Owner {
    pub(super) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Config(path) if has_instances(&path) => self.read(&path),
            Notice::Config(path) => self.note_configs([ConfigTarget::Object(path)]),
            Notice::NodeConfig => self.read_node(),
            Notice::Hand(path) => {
                self.follow_hand(&path);
                self.probe_soon(&path);
                // The action may have started an engine of the object's own.
                self.follow_engines(&path);
            }
            Notice::Group(group) => {
                if let Some(path) = self.object_of_group(&group) {
                    self.probe_soon(&path);
                    if let Some(instance) = self.instances.get_mut(&path) {
                        instance.look_again = Some(crate::clock::now() + SETTLED);
                    }
                }
            }
            Notice::Holdings(path) => self.read_held(&path),
            Notice::Mounts => self.probe_those(&[Group::Fs, Group::Disk, Group::Volume, Group::Share]),
            Notice::Net => self.probe_those(&[Group::Ip]),
            Notice::Container(path) => self.probe_soon(&path),
            Notice::Containers => self.probe_those(&[Group::Container]),
            Notice::Everything => self.scan_and_look(),
        }
    }

    /// Has the history of configurations that the daemon does not read itself note what an editor has changed.
    fn note_configs(&self, targets: impl IntoIterator<Item = ConfigTarget> + Send + 'static) {
        let agent = self.agent.clone();
        tokio::task::spawn_blocking(move || {
            for target in targets {
                // What cannot be written down now, the next command on this configuration notes.
                let _ = agent.note_config(&target);
            }
        });
    }

    /// What all objects mean may have changed.
    fn read_node(&mut self) {
        self.note_configs([ConfigTarget::Node, ConfigTarget::Object(ObjectPath::cluster())]);
        let node = self.agent.node();
        let written = node.keywords.get("max_parallel").and_then(|number| number.parse().ok());
        self.node.max_parallel = written.unwrap_or(self.node.max_parallel);
        self.set_guard(GuardPolicy::of(&node.keywords, self.is_system, self.member.is_some()));
        self.read_fences_again();
        self.add_event(EventKind::NodeConfig, None, json!({}));
        let paths: Vec<ObjectPath> = self.instances.keys().cloned().collect();
        paths.iter().for_each(|path| self.read(path));
    }

    fn scan_and_look(&mut self) {
        self.scan();
        let paths: Vec<ObjectPath> = self.instances.keys().cloned().collect();
        for path in &paths {
            self.read(path);
            self.follow_hand(path);
            self.probe_soon(path);
        }
    }

    /// Has the engines followed that an object has containers on, if it has any.
    pub(super) fn follow_engines(&self, path: &ObjectPath) {
        let rules = self.instances.get(path).and_then(|instance| instance.local.rules.as_ref());
        if rules.is_some_and(|rules| rules.resources.keys().any(|rid| rid.group() == Group::Container)) {
            self.engines.look(path);
        }
    }

    /// The object whose control group this is, or is below.
    fn object_of_group(&self, group: &Path) -> Option<ObjectPath> {
        group.ancestors().find_map(|above| self.groups.get(above)).cloned()
    }

    /// Notes the control group of an object.
    pub(super) fn note_group(&mut self, path: &ObjectPath) {
        let group: Option<PathBuf> = self.agent.control_group_of(path);
        if let Some(group) = group {
            self.groups.insert(group, path.clone());
        }
    }

    /// Looks at the instances that have resources of these groups, not more often than bursts come.
    fn probe_those(&mut self, groups: &[Group]) {
        let at = crate::clock::now() + BURST;
        let concerned = |instance: &&mut Instance| {
            let rules = instance.local.rules.as_ref();
            rules.is_some_and(|rules| rules.resources.keys().any(|rid| groups.contains(&rid.group())))
        };
        for instance in self.instances.values_mut().filter(concerned) {
            instance.due = instance.due.min(at);
        }
    }
}
