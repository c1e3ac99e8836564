//! Which objects there are, and their configurations: read beside the owner, again whenever a file changes.

use std::sync::Arc;

use agent::{ActError, ObjectFiles};
use model::ObjectPath;
use protocol::FailureKind;
use protocol::daemon::EventKind;
use serde_json::json;

use super::{Message, Owner};
use crate::RequestError;
use crate::instance::{Instance, LoadedConfig, ReadState, load, recall};

impl Owner {
    /// Lists the objects of this node.
    pub(crate) fn scan(&mut self) {
        let (agent, mail) = (self.agent.clone(), self.mail.clone());
        tokio::task::spawn_blocking(move || {
            // Without the right to list a directory, the objects that are known stay.
            if let Ok(paths) = ObjectFiles::of(agent.home()).list() {
                let _ = mail.send(Message::Scanned(paths));
            }
        });
    }

    pub(super) fn take_scan(&mut self, paths: Vec<ObjectPath>) {
        self.scanned = true;
        for path in paths.iter().filter(|path| has_instances(path)) {
            if !self.instances.contains_key(path) {
                self.read(path);
            }
        }
        let gone: Vec<ObjectPath> = self.instances.keys().filter(|path| !paths.contains(path)).cloned().collect();
        gone.iter().for_each(|path| self.read(path));
        // What the store knows and no file does: it was deleted while no daemon ran.
        let unknown: Vec<ObjectPath> =
            self.shared.objects.keys().filter(|path| !self.instances.contains_key(*path)).cloned().collect();
        unknown.iter().for_each(|path| self.read(path));
    }

    /// Reads the configuration of an object.
    pub(crate) fn read(&mut self, path: &ObjectPath) {
        if !self.instances.contains_key(path) {
            let memory = recall(&self.agent, path, &self.node.boot, self.node.ready);
            let (interrupted, is_new) = (memory.interrupted.clone(), memory.is_new);
            let mut instance = Instance::new(memory, crate::clock::now());
            if let Some(running) = interrupted {
                self.resume(&mut instance, &running);
            }
            self.instances.insert(path.clone(), instance);
            self.note_group(path);
            if is_new && self.node.ready {
                // The next daemon must know that the boot was before it.
                self.remember(path, |_| {});
            }
        }
        let Some(instance) = self.instances.get_mut(path) else { return };
        if instance.loading != ReadState::Idle {
            instance.loading = ReadState::RunningAgain;
            return;
        }
        instance.loading = ReadState::Running;
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        let turns = Arc::clone(&self.read_turns);
        tokio::spawn(async move {
            // Nothing closes it.
            let _turn = turns.acquire().await;
            let read = tokio::task::spawn_blocking(move || {
                let loaded = load(&agent, &path);
                let _ = mail.send(Message::Read { path, loaded });
            });
            let _ = read.await;
        });
    }

    pub(super) fn take_config(&mut self, path: ObjectPath, loaded: Result<Option<LoadedConfig>, ActError>) {
        let Some(instance) = self.instances.get_mut(&path) else { return };
        let again = instance.loading == ReadState::RunningAgain;
        instance.loading = ReadState::Idle;
        match loaded {
            Ok(Some(loaded)) => {
                let is_new = instance.loaded.is_none();
                let changed = instance.loaded.as_ref().is_none_or(|known| known.checksum != loaded.checksum);
                instance.missing = false;
                instance.local.rules.clone_from(&loaded.rules);
                let problem = loaded.problem.clone();
                let known_problem = instance.loaded.as_ref().and_then(|known| known.problem.clone());
                instance.loaded = Some(loaded);
                instance.due = crate::clock::now();
                if changed && !is_new || problem != known_problem {
                    self.add_event(EventKind::ObjectConfig, Some(&path), json!({ "problem": problem }));
                }
            }
            Ok(None) => instance.missing = true,
            Err(error) => {
                // A file that cannot be read leaves what was read last in force.
                let problem = agent::chain(&error);
                match &mut instance.loaded {
                    Some(known) => known.problem = Some(problem),
                    None => {
                        let (checksum, problem) = (String::new(), Some(problem));
                        instance.loaded =
                            Some(LoadedConfig { checksum, text: "".into(), object: None, rules: None, problem });
                    }
                }
            }
        }
        if again {
            self.read(&path);
        } else {
            self.answer_unseen(&path);
            self.time(&path);
            self.follow_engines(&path);
        }
        self.touch(&path);
    }

    /// Answers those who wait for a look at an object that has no instance here: there will be none.
    fn answer_unseen(&mut self, path: &ObjectPath) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        if instance.loaded.as_ref().is_some_and(LoadedConfig::is_here) && !instance.missing {
            return;
        }
        for waiting in instance.waiting.drain(..) {
            let _ = waiting.send(match instance.missing {
                true => Err(RequestError::new(FailureKind::NoMatch, format!("{path} does not exist"))),
                false => Ok(()),
            });
        }
    }
}

/// Whether objects of this kind run on nodes.
pub(super) fn has_instances(path: &ObjectPath) -> bool {
    path.kind().has_instances()
}
