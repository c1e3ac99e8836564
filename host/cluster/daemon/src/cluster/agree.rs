//! Configurations and freezes, which are both in files of each node and in the store. What was changed here since both agreed is
//! said to the others; what was changed elsewhere is written here. Where both were changed, the store's is in force: the other
//! text stays in the history of the configuration.

use agent::object::ObjectError;
use agent::{Agent, ChangeAuthor, ObjectFiles};
use model::ObjectPath;
use protocol::DeleteOrder;
use protocol::daemon::EventKind;
use replica::request::{self, ConfigPublication};
use replica::{ConfigRow, SharedObject};
use serde_json::json;
use store::TxnRequest;

use super::member::ClusterMessage;
use crate::instance::{Instance, LoadedConfig, ReadState};
use crate::owner::{Message, Owner};

/// What is to be done so that the files and the store agree about an object.
enum Agreement {
    /// They do.
    Reached,
    /// Something must be read or written first.
    Later,
    Send(TxnRequest),
    /// The file is to say what the store says.
    Install(ConfigRow),
    /// The object was deleted, and this node has only the file.
    Remove,
    /// The flag in the file is to be what the store says.
    Flag {
        frozen: bool,
    },
}

impl Owner {
    /// What is missing in the store so that the cluster has what this node's files say. Begins what is missing in the files.
    pub(crate) fn agree(&mut self, path: &ObjectPath) -> Option<TxnRequest> {
        let instance = self.instances.get(path)?;
        // The file has changed, or may have: what was read before must neither be published now nor replaced.
        if instance.loading != ReadState::Idle {
            return None;
        }
        match self.agreement(path, instance) {
            Agreement::Reached => {
                self.note_agreement(path);
                None
            }
            Agreement::Later => None,
            Agreement::Send(txn) => Some(txn),
            Agreement::Install(row) => {
                self.begin_install(path, row);
                None
            }
            Agreement::Remove => {
                self.begin_removal(path);
                None
            }
            Agreement::Flag { frozen } => {
                self.begin_flag(path, frozen);
                None
            }
        }
    }

    fn agreement(&self, path: &ObjectPath, instance: &Instance) -> Agreement {
        let shared = self.shared.objects.get(path).filter(|object| object.row.is_some());
        let loaded = instance.loaded.as_ref().filter(|_| !instance.missing);
        match (shared, loaded) {
            (None, None) => Agreement::Reached,
            (None, Some(loaded)) => self.publication(path, loaded),
            (Some(shared), None) => self.without_file(path, shared, instance),
            (Some(shared), Some(loaded)) => self.with_both(path, shared, instance, loaded),
        }
    }

    fn publication(&self, path: &ObjectPath, loaded: &LoadedConfig) -> Agreement {
        // A text that does not load is this node's own, until it does.
        let Some(object) = loaded.object.as_ref().filter(|_| loaded.problem.is_none()) else { return Agreement::Later };
        let mut scope = object.nodes.clone();
        scope.extend(object.drpnodes.iter().filter(|node| !object.nodes.contains(node)).cloned());
        let config = ConfigPublication { checksum: &loaded.checksum, text: Some(&loaded.text), scope: &scope };
        request::publish_config(&self.shared, path, config).map_or(Agreement::Reached, Agreement::Send)
    }

    fn without_file(&self, path: &ObjectPath, shared: &SharedObject, instance: &Instance) -> Agreement {
        let Some(row) = &shared.row else { return Agreement::Reached };
        if !row.value.tombstone {
            // An object is deleted by its tombstone alone: a file that is only gone is written again.
            return shared
                .config
                .as_ref()
                .map_or(Agreement::Reached, |config| Agreement::Install(config.value.clone()));
        }
        // The tombstone stays until every node has seen it.
        let open = self.views.get(path).is_some_and(|view| view.open_intent().is_some());
        let seen = row.value.instances.values().all(|mark| mark.deleted);
        if open || instance.is_busy() || !seen {
            return Agreement::Reached;
        }
        request::forget(&self.shared, path).map_or(Agreement::Reached, Agreement::Send)
    }

    fn with_both(
        &self,
        path: &ObjectPath,
        shared: &SharedObject,
        instance: &Instance,
        loaded: &LoadedConfig,
    ) -> Agreement {
        let Some(row) = shared.row.as_ref().map(|row| &row.value) else { return Agreement::Reached };
        if row.tombstone {
            if self.is_of_another(path, instance) {
                return request::forget(&self.shared, path).map_or(Agreement::Reached, Agreement::Send);
            }
            let concerned = row.instances.contains_key(self.me.as_str());
            return if concerned { Agreement::Reached } else { Agreement::Remove };
        }
        if loaded.checksum != row.checksum {
            // The store still has what both agreed about, so it is the file that was changed.
            let edited_here = instance.agreed_checksum.as_ref() == Some(&row.checksum);
            return match &shared.config {
                Some(config) if !edited_here => Agreement::Install(config.value.clone()),
                _ => self.publication(path, loaded),
            };
        }
        // The store may have it from a node that was alone then, without its text.
        if shared.config.is_none() {
            return self.publication(path, loaded);
        }
        let Some(mark) = row.instances.get(self.me.as_str()) else {
            return if loaded.is_here() { self.publication(path, loaded) } else { Agreement::Reached };
        };
        if mark.frozen == instance.frozen || instance.is_busy() {
            return Agreement::Reached;
        }
        // Where it is not known what was agreed, the store's counts.
        match instance.agreed_frozen {
            Some(agreed) if agreed == mark.frozen => {
                let frozen = instance.frozen;
                let txn = request::mark(&self.shared, path, &self.me, |mark| mark.frozen = frozen);
                txn.map_or(Agreement::Reached, Agreement::Send)
            }
            _ => Agreement::Flag { frozen: mark.frozen },
        }
    }

    /// Remembers what the files and the store agree about.
    fn note_agreement(&mut self, path: &ObjectPath) {
        let row = self.shared.objects.get(path).and_then(|object| object.row.as_ref()).map(|row| &row.value);
        let Some(instance) = self.instances.get_mut(path).filter(|instance| !instance.missing) else { return };
        let (Some(row), Some(loaded)) = (row, &instance.loaded) else { return };
        if row.checksum != loaded.checksum {
            return;
        }
        let frozen = row.instances.get(self.me.as_str()).map(|mark| mark.frozen);
        // While the two differ, what was agreed before says which of them was changed.
        let frozen = frozen.filter(|frozen| *frozen == instance.frozen).or(instance.agreed_frozen);
        let agreed = (Some(loaded.checksum.clone()), frozen);
        if (&instance.agreed_checksum, &instance.agreed_frozen) != (&agreed.0, &agreed.1) {
            (instance.agreed_checksum, instance.agreed_frozen) = agreed;
            self.remember(path, |_| {});
        }
    }

    fn begin_install(&mut self, path: &ObjectPath, row: ConfigRow) {
        self.sending.insert(path.clone());
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::task::spawn_blocking(move || {
            let fault = install(&agent, &path, &row.text).err().map(|error| agent::chain(&error));
            let _ = mail.send(Message::Cluster(ClusterMessage::Installed { path, fault }));
        });
    }

    fn begin_removal(&mut self, path: &ObjectPath) {
        self.sending.insert(path.clone());
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::spawn(async move {
            let by = ChangeAuthor::of_process("om daemon");
            // It is gone for all nodes: what is held here is found as an orphan.
            let order = DeleteOrder { force: true, i_know: true, ..DeleteOrder::default() };
            let fault = agent.delete(&path, &[], order, &by).await.err().map(|error| agent::chain(&error));
            let _ = mail.send(Message::Cluster(ClusterMessage::Installed { path, fault }));
        });
    }

    pub(super) fn installed(&mut self, path: &ObjectPath, fault: Option<String>) {
        self.sending.remove(path);
        if let Some(fault) = fault {
            self.add_event(EventKind::ObjectConfig, Some(path), json!({ "problem": fault }));
            self.retries.insert(path.clone(), crate::clock::now() + std::time::Duration::from_secs(10));
        }
        self.read(path);
        self.touch(path);
    }

    fn begin_flag(&mut self, path: &ObjectPath, frozen: bool) {
        self.sending.insert(path.clone());
        if let Some(instance) = self.instances.get_mut(path) {
            // Before the file is written: otherwise the next turn would take the flag in memory for a change that
            // was made here.
            instance.frozen = frozen;
        }
        let (agent, mail, path) = (self.agent.clone(), self.mail.clone(), path.clone());
        tokio::task::spawn_blocking(move || {
            // What cannot be written the next look shows.
            let _ = if frozen { agent.freeze(&path) } else { agent.thaw(&path) };
            let _ = mail.send(Message::Cluster(ClusterMessage::Flagged { path }));
        });
    }
}

/// Writes a configuration that another node has changed. Blocks.
fn install(agent: &Agent, path: &ObjectPath, text: &str) -> Result<(), ObjectError> {
    let by = ChangeAuthor::of_process("om daemon (from the cluster)");
    let files = ObjectFiles::of(agent.home()).by(&by);
    // Tried first: a look whether the file exists says nothing of the next moment.
    match files.create(path, text) {
        Err(ObjectError::Exists(_)) => files.edit(path, |_| Ok(text.to_owned())),
        made => made,
    }
}
