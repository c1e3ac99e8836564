//! The status of an instance at the last look, so that it can be shown without calling a driver.
//!
//! Only this version of the agent reads the document: one that is torn or of another version counts as absent.

use std::time::Duration;

use driver::{Fault, Level, Message};
use model::status::{Flags, InstanceStatus as StatusSums, RestartsLeft};
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::FileError;
use crate::status::{InstanceStatus, ResourceStatus, StatusNote};

impl InstanceState {
    /// The status at the last look, if there was one.
    pub fn last_status(&self) -> Result<Option<InstanceStatus>, FileError> {
        let note: Option<Note> = documents::load(&self.directory.join("status.json"))?;
        Ok(note.and_then(Note::into_instance))
    }

    /// Forgets the status, as it is about to change.
    pub fn forget_last_status(&self) {
        let _ = std::fs::remove_file(self.directory.join("status.json"));
    }

    /// Remembers a status.
    pub fn set_last_status(&self, instance: &InstanceStatus) -> Result<(), FileError> {
        documents::jot(&self.directory.join("status.json"), &Note::of(instance))
    }
}

#[derive(Serialize, Deserialize)]
struct Note {
    path: String,
    node: String,
    avail: String,
    overall: String,
    optional: String,
    provisioned: String,
    frozen: bool,
    seen_at: i64,
    notes: Vec<StatusNote>,
    show_disabled: bool,
    resources: Vec<ResourceNote>,
}

#[derive(Serialize, Deserialize)]
struct ResourceNote {
    rid: String,
    driver: String,
    subset: Option<(String, bool)>,
    tags: Vec<String>,
    state: String,
    flags: FlagsNote,
    label: String,
    messages: Vec<(String, String)>,
    exposes: Vec<(String, String)>,
    uses: Vec<(String, String)>,
    fault: Option<FaultNote>,
}

#[derive(Serialize, Deserialize)]
struct FlagsNote {
    running: bool,
    monitored: bool,
    disabled: bool,
    optional: bool,
    encap: bool,
    provisioned: String,
    standby: bool,
    restarts_left: RestartsNote,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RestartsLeft")]
enum RestartsDef {
    None,
    Left(u32),
    Stopped,
}

#[derive(Serialize, Deserialize)]
struct RestartsNote(#[serde(with = "RestartsDef")] RestartsLeft);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fault")]
enum FaultDef {
    Trap(String),
    Cpu(Duration),
    Wall(Duration),
    Memory(u64),
    Stack,
    Stuck(String),
    Missing { driver: String, reason: String },
}

#[derive(Serialize, Deserialize)]
struct FaultNote(#[serde(with = "FaultDef")] Fault);

impl Note {
    fn of(instance: &InstanceStatus) -> Note {
        Note {
            path: instance.path.to_string(),
            node: instance.node.to_string(),
            avail: instance.sums.avail.to_string(),
            overall: instance.sums.overall.to_string(),
            optional: instance.sums.optional.to_string(),
            provisioned: instance.sums.provisioned.to_string(),
            frozen: instance.frozen,
            seen_at: instance.seen_at,
            notes: instance.notes.clone(),
            show_disabled: instance.show_disabled,
            resources: instance.resources.iter().map(ResourceNote::of).collect(),
        }
    }

    fn into_instance(self) -> Option<InstanceStatus> {
        let sums = StatusSums {
            avail: self.avail.parse().ok()?,
            overall: self.overall.parse().ok()?,
            optional: self.optional.parse().ok()?,
            provisioned: self.provisioned.parse().ok()?,
        };
        Some(InstanceStatus {
            path: self.path.parse().ok()?,
            node: self.node.parse().ok()?,
            sums,
            frozen: self.frozen,
            seen_at: self.seen_at,
            notes: self.notes,
            show_disabled: self.show_disabled,
            resources: self.resources.into_iter().map(ResourceNote::into_seen).collect::<Option<_>>()?,
        })
    }
}

impl ResourceNote {
    fn of(seen: &ResourceStatus) -> ResourceNote {
        let message = |message: &Message| (level_word(message.level).to_owned(), message.text.clone());
        ResourceNote {
            rid: seen.rid.to_string(),
            driver: seen.driver.to_string(),
            subset: seen.subset.clone(),
            tags: seen.tags.clone(),
            state: seen.state.to_string(),
            flags: FlagsNote::of(seen.flags),
            label: seen.label.clone(),
            messages: seen.messages.iter().map(message).collect(),
            exposes: seen.exposes.clone(),
            uses: seen.uses.clone(),
            fault: seen.fault.clone().map(FaultNote),
        }
    }

    fn into_seen(self) -> Option<ResourceStatus> {
        let message = |(level, text): (String, String)| Some(Message { level: level_of(&level)?, text });
        Some(ResourceStatus {
            rid: self.rid.parse().ok()?,
            driver: self.driver.parse().ok()?,
            subset: self.subset,
            tags: self.tags,
            state: self.state.parse().ok()?,
            flags: self.flags.into_flags()?,
            label: self.label,
            messages: self.messages.into_iter().map(message).collect::<Option<_>>()?,
            exposes: self.exposes,
            uses: self.uses,
            fault: self.fault.map(|FaultNote(fault)| fault),
        })
    }
}

impl FlagsNote {
    fn of(flags: Flags) -> FlagsNote {
        FlagsNote {
            running: flags.running,
            monitored: flags.monitored,
            disabled: flags.disabled,
            optional: flags.optional,
            encap: flags.encap,
            provisioned: flags.provisioned.to_string(),
            standby: flags.standby,
            restarts_left: RestartsNote(flags.restarts_left),
        }
    }

    fn into_flags(self) -> Option<Flags> {
        Some(Flags {
            running: self.running,
            monitored: self.monitored,
            disabled: self.disabled,
            optional: self.optional,
            encap: self.encap,
            provisioned: self.provisioned.parse().ok()?,
            standby: self.standby,
            restarts_left: self.restarts_left.0,
        })
    }
}

const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn level_of(word: &str) -> Option<Level> {
    LEVELS.into_iter().find(|level| level_word(*level) == word)
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;
    use model::status::{Provisioned, State};

    fn seen(rid: &str, fault: Option<Fault>) -> ResourceStatus {
        ResourceStatus {
            rid: rid.parse().unwrap(),
            driver: "fs.ext4".parse().unwrap(),
            subset: Some(("s1".to_owned(), true)),
            tags: vec!["db".to_owned()],
            state: State::StdbyUp,
            flags: Flags {
                running: false,
                monitored: true,
                disabled: false,
                optional: false,
                encap: false,
                provisioned: Provisioned::True,
                standby: true,
                restarts_left: RestartsLeft::Left(3),
            },
            label: "ext4 /dev/loop0@/srv/web".to_owned(),
            messages: vec![Message { level: Level::Warn, text: "nearly full".to_owned() }],
            exposes: vec![("device".to_owned(), "/dev/loop0".to_owned())],
            uses: Vec::new(),
            fault,
        }
    }

    fn instance() -> InstanceStatus {
        let faults = [
            Fault::Trap("unreachable".to_owned()),
            Fault::Wall(Duration::from_millis(1500)),
            Fault::Stack,
            Fault::Missing { driver: "fs.zfs".to_owned(), reason: "not installed".to_owned() },
        ];
        let faulty = faults.into_iter().enumerate().map(|(n, fault)| seen(&format!("fs#{n}"), Some(fault)));
        InstanceStatus {
            path: "web".parse().unwrap(),
            node: "n1".parse().unwrap(),
            sums: StatusSums {
                avail: State::StdbyUp,
                overall: State::Warn,
                optional: State::Na,
                provisioned: Provisioned::Mixed,
            },
            frozen: true,
            seen_at: 1_000,
            notes: vec![StatusNote::Interrupted { action: "start".to_owned() }],
            show_disabled: false,
            resources: faulty.chain([seen("fs#9", None)]).collect(),
        }
    }

    #[test]
    fn a_status_is_remembered_as_it_was() {
        let (_root, web) = web();
        assert_eq!(web.last_status().unwrap(), None);
        web.set_last_status(&instance()).unwrap();
        assert_eq!(web.last_status().unwrap(), Some(instance()));
    }

    #[test]
    fn a_torn_status_counts_as_absent() {
        let (_root, web) = web();
        web.set_last_status(&instance()).unwrap();
        let file = web.directory.join("status.json");
        let whole = std::fs::read(&file).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(web.last_status().unwrap(), None, "{length} bytes");
        }
    }
}
