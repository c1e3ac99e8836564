//! `wit/state.wit`: a few values that the host keeps for a resource, in one file for each resource and lifetime.
//!
//! They are not below the directory that a driver may write (`{statedir}`): what stands here is believed as the host's own word, such as
//! the keywords that grants were bound to.
//!
//! A value whose lifetime is the boot is absent after a reboot. A file that cannot be read is an error, never an absent
//! value: a driver that took "unreadable" for "never set" would do its work twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use grant::GrantRequest;
use grant::op::{KeepState, ReadState};
use holding::DeclaredHolding;
use model::Rid;
use model::object::{KeywordValue, Provenance};
use serde::{Deserialize, Serialize};

use crate::holdings::scope_of;
use crate::{CallContext, CapabilityError, Effect, RecordPlace};

/// The largest size of a resource's keys and values, both lifetimes together.
const MAX_BYTES: usize = 64 * 1024;

/// The value of `key`. None if it was never set.
pub async fn get(context: &CallContext, lifetime: &str, key: &str) -> Result<Option<String>, CapabilityError> {
    let store = StateFiles::of(context);
    let (lifetime, key) = (StateLifetime::parse(lifetime)?, key.to_owned());
    context.admit(ReadState)?.blocking(move |_| Ok(Effect::Nothing(store.read(lifetime)?.values.remove(&key)))).await
}

/// Sets `key`. The value is on disk when this returns.
pub async fn set(context: &CallContext, lifetime: &str, key: &str, value: &str) -> Result<(), CapabilityError> {
    let store = StateFiles::of(context);
    let (lifetime, key, value) = (StateLifetime::parse(lifetime)?, key.to_owned(), value.to_owned());
    // Not `Touched`: a rollback need not undo what the host itself keeps about a resource.
    context.admit(KeepState)?.blocking(move |_| store.set(lifetime, key, value).map(Effect::Nothing)).await
}

/// Removes `key`.
pub async fn remove(context: &CallContext, lifetime: &str, key: &str) -> Result<(), CapabilityError> {
    let store = StateFiles::of(context);
    let (lifetime, key) = (StateLifetime::parse(lifetime)?, key.to_owned());
    context.admit(KeepState)?.blocking(move |_| store.remove(lifetime, &key).map(Effect::Nothing)).await
}

/// Declares a holding (its kind, id and label) and sets values, in one write.
pub(crate) async fn declare(
    context: &CallContext,
    scope: &str,
    holding: [String; 3],
    memory: Vec<(String, String)>,
) -> Result<(), CapabilityError> {
    let (store, lifetime, scope) = (StateFiles::of(context), StateLifetime::parse(scope)?, scope_of(scope)?);
    let [kind, id, label] = holding;
    let declared =
        DeclaredEntry { holding: DeclaredHolding { kind, id, label, scope }, keywords: KeywordThen::of(context) };
    context.admit(KeepState)?.blocking(move |_| store.declare(lifetime, declared, memory).map(Effect::Nothing)).await
}

/// Takes a declared holding back.
pub(crate) async fn withdraw(context: &CallContext, kind: String, id: String) -> Result<bool, CapabilityError> {
    let store = StateFiles::of(context);
    context.admit(KeepState)?.blocking(move |_| store.withdraw(&kind, &id).map(Effect::Nothing)).await
}

/// Makes the place of the host's record of a resource, before a call of a driver that may write in the directory where earlier versions
/// had it.
pub fn settle(place: &RecordPlace, rid: &Rid) -> Result<(), CapabilityError> {
    let doing = format!("cannot make the record in {}", place.directory.display());
    StateFiles::at(place, &rid.to_string()).settle().map_err(|error| CapabilityError::io(&doing, &error))
}

/// Removes all that is kept of a resource, after it was unprovisioned.
pub fn wipe(place: &RecordPlace, rid: &Rid) -> Result<(), CapabilityError> {
    StateFiles::at(place, &rid.to_string()).wipe()
}

/// How long a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StateLifetime {
    Boot,
    Persistent,
}

impl StateLifetime {
    const ALL: [StateLifetime; 2] = [StateLifetime::Boot, StateLifetime::Persistent];

    fn parse(word: &str) -> Result<StateLifetime, CapabilityError> {
        let found = StateLifetime::ALL.into_iter().find(|lifetime| lifetime.as_str() == word);
        found.ok_or_else(|| {
            CapabilityError::Invalid(format!("{word:?} is not a scope of state: expected boot or persistent"))
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            StateLifetime::Boot => "boot",
            StateLifetime::Persistent => "persistent",
        }
    }
}

/// The content of one file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct StateContent {
    /// The boot in which the file was written, if its values are absent after a reboot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    values: BTreeMap<String, String>,
    /// What the driver declared to hold: here, so that it is on disk in the same write as the values that tell how to give it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    declared: Vec<DeclaredEntry>,
}

/// What the driver declared, and the keywords that its grants were bound to at that time: whoever was allowed to take a thing may give
/// it back, whatever the keywords say by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeclaredEntry {
    #[serde(flatten)]
    pub(crate) holding: DeclaredHolding,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keywords: Vec<KeywordThen>,
}

impl DeclaredEntry {
    /// How much of the resource's room it takes. Nothing of it is free: each part stands in the file, and is read by each look.
    fn size(&self) -> usize {
        let DeclaredHolding { kind, id, label, .. } = &self.holding;
        let keyword =
            |then: &KeywordThen| then.name.len() + then.values.iter().map(|value| value.len() + 1).sum::<usize>();
        kind.len() + id.len() + label.len() + self.keywords.iter().map(keyword).sum::<usize>()
    }
}

/// A keyword that a grant names, with its values then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeywordThen {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
    /// The resource that exposed the values, if they came from another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

impl KeywordThen {
    /// The keywords of the call that its driver's requests name. No grant is about a secret.
    fn of(context: &CallContext) -> Vec<KeywordThen> {
        let Some(templates) = context.templates() else { return Vec::new() };
        let named: BTreeSet<String> = templates.requests.iter().flat_map(GrantRequest::keywords).collect();
        let own = context.configured().filter(|keyword| !keyword.secret && named.contains(&keyword.name));
        let then = own.map(|keyword| KeywordThen {
            name: keyword.name.clone(),
            values: keyword.values.clone(),
            from: keyword.provenance.resource().map(ToString::to_string),
        });
        then.collect()
    }

    pub(crate) fn is_as(&self, now: &[KeywordValue]) -> bool {
        let is_own = |keyword: &&KeywordValue| keyword.provenance.binds();
        now.iter().filter(is_own).any(|keyword| (&keyword.name, &keyword.values) == (&self.name, &self.values))
    }

    /// Whose word the values were. An id that is none any more makes them those of nobody.
    pub(crate) fn provenance(&self) -> Provenance {
        let source = self.from.as_ref().and_then(|from| from.parse::<Rid>().ok());
        source.map_or(Provenance::Written { line: 1 }, Provenance::exposed_by)
    }
}

impl StateContent {
    fn size(&self) -> usize {
        let values = self.values.iter().map(|(key, value)| key.len() + value.len());
        values.chain(self.declared.iter().map(DeclaredEntry::size)).sum()
    }

    fn without(&mut self, kind: &str, id: &str) -> bool {
        let before = self.declared.len();
        self.declared
            .retain(|DeclaredEntry { holding, .. }| (holding.kind.as_str(), holding.id.as_str()) != (kind, id));
        self.declared.len() != before
    }
}

/// The files of one resource.
#[derive(Debug, Clone)]
pub(crate) struct StateFiles {
    directory: PathBuf,
    /// Where earlier versions had these files: below the directory that drivers may write. Only looked at as long as `directory` is not
    /// there, which is made before a driver that may write can make such files.
    before: PathBuf,
    /// The resource id, as it stands in a file's name.
    name: String,
    boot_id: Option<String>,
}

impl StateFiles {
    pub(crate) fn of(context: &CallContext) -> StateFiles {
        StateFiles::at(&context.paths().record, &context.subject().rid.to_string())
    }

    /// The files of the resource with these directories.
    pub(crate) fn at(place: &RecordPlace, rid: &str) -> StateFiles {
        StateFiles {
            directory: place.directory.clone(),
            before: place.before.clone(),
            name: rid.replace('#', "."),
            boot_id: kernel::clock::boot_id(),
        }
    }

    /// Makes the directory, with what an earlier version kept elsewhere. From then on, nothing elsewhere counts.
    fn settle(&self) -> io::Result<()> {
        if self.directory.is_dir() {
            return Ok(());
        }
        // Copied aside first, so that a crash leaves either the old files or all of the new ones.
        let aside = self.directory.with_added_extension("new");
        DirBuilder::new().recursive(true).mode(0o700).create(&aside)?;
        if fs::symlink_metadata(&self.before).is_ok_and(|found| found.is_dir()) {
            for name in StateLifetime::ALL.map(|lifetime| self.file_name(lifetime)) {
                match fs::read(self.before.join(&name)) {
                    Ok(bytes) => replace(&aside.join(&name), &bytes)?,
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        match fs::rename(&aside, &self.directory) {
            // Another command of this resource was faster.
            Err(_) if self.directory.is_dir() => fs::remove_dir_all(&aside)?,
            renamed => renamed?,
        }
        if self.before.exists() {
            self.directory.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
            // What is left there counts no more.
            let _ = fs::remove_dir_all(&self.before);
        }
        Ok(())
    }

    /// What the driver declared to hold.
    pub(crate) fn declared(&self) -> Result<Vec<DeclaredEntry>, CapabilityError> {
        let mut declared = Vec::new();
        for lifetime in StateLifetime::ALL {
            declared.extend(self.read(lifetime)?.declared);
        }
        Ok(declared)
    }

    fn file_name(&self, lifetime: StateLifetime) -> String {
        format!("{}.{}.json", self.name, lifetime.as_str())
    }

    fn path(&self, lifetime: StateLifetime) -> PathBuf {
        let directory = if self.directory.is_dir() { &self.directory } else { &self.before };
        directory.join(self.file_name(lifetime))
    }

    fn read(&self, lifetime: StateLifetime) -> Result<StateContent, CapabilityError> {
        let path = self.path(lifetime);
        let doing = format!("cannot read the state in {}", path.display());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(StateContent::default()),
            Err(error) => return Err(CapabilityError::io(&doing, &error)),
        };
        let content: StateContent =
            serde_json::from_slice(&bytes).map_err(|error| CapabilityError::Other(format!("{doing}: {error}")))?;
        // Compared when it is read: nothing runs at boot to remove the file.
        let is_outdated = lifetime == StateLifetime::Boot && content.boot_id != self.boot_id;
        Ok(if is_outdated { StateContent::default() } else { content })
    }

    fn set(&self, lifetime: StateLifetime, key: String, value: String) -> Result<(), CapabilityError> {
        let mut content = self.read(lifetime)?;
        content.values.insert(key, value);
        self.write_within_limit(lifetime, content)
    }

    fn declare(
        &self,
        lifetime: StateLifetime,
        declared: DeclaredEntry,
        memory: Vec<(String, String)>,
    ) -> Result<(), CapabilityError> {
        let (kind, id) = (declared.holding.kind.clone(), declared.holding.id.clone());
        let mut content = self.read(lifetime)?;
        content.without(&kind, &id);
        content.declared.push(declared);
        content.values.extend(memory);
        // Declared again with another scope, it moves: it is written there before it is removed here, as it is held all the time.
        self.write_beside(lifetime, content, |other| other.without(&kind, &id))
    }

    fn withdraw(&self, kind: &str, id: &str) -> Result<bool, CapabilityError> {
        let mut found = false;
        for lifetime in StateLifetime::ALL {
            let mut content = self.read(lifetime)?;
            if content.without(kind, id) {
                self.write(lifetime, content)?;
                found = true;
            }
        }
        Ok(found)
    }

    /// Takes back those that are gone.
    pub(crate) fn forget_declared(&self, is_gone: impl Fn(&DeclaredHolding) -> bool) -> Result<(), CapabilityError> {
        for lifetime in StateLifetime::ALL {
            let mut content = self.read(lifetime)?;
            let before = content.declared.len();
            content.declared.retain(|declared| !is_gone(&declared.holding));
            if content.declared.len() != before {
                self.write(lifetime, content)?;
            }
        }
        Ok(())
    }

    fn write_within_limit(&self, lifetime: StateLifetime, content: StateContent) -> Result<(), CapabilityError> {
        self.write_beside(lifetime, content, |_| false)
    }

    /// Writes a file, and then the other ones that `change` changes.
    fn write_beside(
        &self,
        lifetime: StateLifetime,
        content: StateContent,
        change: impl Fn(&mut StateContent) -> bool,
    ) -> Result<(), CapabilityError> {
        // Both files count, so that a driver cannot keep twice the limit.
        let mut size = content.size();
        let mut changed = Vec::new();
        for other in StateLifetime::ALL.into_iter().filter(|other| *other != lifetime) {
            let mut beside = self.read(other)?;
            let has_changed = change(&mut beside);
            size += beside.size();
            changed.extend(has_changed.then_some((other, beside)));
        }
        if size > MAX_BYTES {
            return Err(CapabilityError::Invalid(format!(
                "the state of a resource is at most {MAX_BYTES} bytes, not {size}"
            )));
        }
        self.write(lifetime, content)?;
        changed.into_iter().try_for_each(|(other, content)| self.write(other, content))
    }

    fn remove(&self, lifetime: StateLifetime, key: &str) -> Result<(), CapabilityError> {
        let mut content = self.read(lifetime)?;
        match content.values.remove(key) {
            Some(_) => self.write(lifetime, content),
            None => Ok(()),
        }
    }

    fn write(&self, lifetime: StateLifetime, mut content: StateContent) -> Result<(), CapabilityError> {
        content.boot_id = self.boot_id.clone().filter(|_| lifetime == StateLifetime::Boot);
        let path = self.directory.join(self.file_name(lifetime));
        let doing = format!("cannot write the state in {}", path.display());
        self.settle().map_err(|error| CapabilityError::io(&doing, &error))?;
        let bytes =
            serde_json::to_vec(&content).map_err(|error| CapabilityError::Other(format!("{doing}: {error}")))?;
        replace(&path, &bytes).map_err(|error| CapabilityError::io(&doing, &error))
    }

    fn wipe(&self) -> Result<(), CapabilityError> {
        for lifetime in StateLifetime::ALL {
            let path = self.path(lifetime);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(CapabilityError::io(&format!("cannot remove the state in {}", path.display()), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Replaces a file so that a crash at any moment leaves either the old content or the new: written beside, synced,
/// renamed over, and the directory synced so that the rename is on disk as well.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    // For the agent alone: a driver may keep what opens a door, and what it finds there decides what it does.
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let beside = path.with_extension("tmp");
    let options = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let mut file = match options() {
        // A process that was killed has left it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(&beside)?;
            options()
        }
        made => made,
    }?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(directory: &Path, boot_id: &str) -> StateFiles {
        let before = directory.join("driver/state");
        StateFiles {
            directory: directory.to_owned(),
            before,
            name: "fs.1".to_owned(),
            boot_id: Some(boot_id.to_owned()),
        }
    }

    fn value(store: &StateFiles, lifetime: StateLifetime) -> Option<String> {
        store.read(lifetime).unwrap().values.remove("k")
    }

    #[test]
    fn values_kept_for_the_boot_are_absent_after_a_reboot() {
        let dir = tempfile::tempdir().unwrap();
        let before = store(dir.path(), "one");
        for lifetime in StateLifetime::ALL {
            before.set(lifetime, "k".into(), "v".into()).unwrap();
        }
        let after = store(dir.path(), "two");
        assert_eq!(value(&before, StateLifetime::Boot).as_deref(), Some("v"));
        assert_eq!(value(&after, StateLifetime::Boot), None);
        assert_eq!(value(&after, StateLifetime::Persistent).as_deref(), Some("v"));
    }

    #[test]
    fn removed_and_wiped_values_are_gone_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let mine = store(dir.path(), "one");
        let other = StateFiles { name: "fs.2".to_owned(), ..mine.clone() };
        for store in [&mine, &other] {
            store.set(StateLifetime::Persistent, "k".into(), "v".into()).unwrap();
            store.set(StateLifetime::Persistent, "l".into(), "w".into()).unwrap();
        }
        mine.remove(StateLifetime::Persistent, "k").unwrap();
        mine.remove(StateLifetime::Persistent, "never").unwrap();
        assert_eq!(mine.read(StateLifetime::Persistent).unwrap().values.len(), 1);
        mine.wipe().unwrap();
        assert_eq!(mine.read(StateLifetime::Persistent).unwrap().values.len(), 0);
        assert_eq!(other.read(StateLifetime::Persistent).unwrap().values.len(), 2);
    }

    #[test]
    fn an_unreadable_file_is_an_error_and_never_an_absent_value() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        for content in ["", "{", "[]"] {
            fs::write(store.path(StateLifetime::Boot), content).unwrap();
            assert!(store.read(StateLifetime::Boot).is_err(), "{content:?}");
            assert!(store.set(StateLifetime::Boot, "k".into(), "v".into()).is_err(), "{content:?}");
        }
    }

    #[test]
    fn a_record_where_drivers_may_write_counts_only_until_the_host_has_made_its_own_place() {
        let dir = tempfile::tempdir().unwrap();
        let before = dir.path().join("driver/state");
        let store = StateFiles { directory: dir.path().join("record/fs#1"), ..store(dir.path(), "one") };
        let (lifetime, forged) = (StateLifetime::Persistent, r#"{"values":{"k":"forged"}}"#);
        let write = |content: &str| {
            fs::create_dir_all(&before).unwrap();
            fs::write(before.join("fs.1.persistent.json"), content).unwrap();
        };
        // Written by an earlier version of the host.
        write(r#"{"values":{"k":"old"}}"#);
        assert_eq!(value(&store, lifetime).as_deref(), Some("old"));
        store.settle().unwrap();
        assert_eq!(value(&store, lifetime).as_deref(), Some("old"));
        assert!(!before.exists());
        // Written by a driver.
        write(forged);
        assert_eq!(value(&store, lifetime).as_deref(), Some("old"));
        store.settle().unwrap();
        store.set(lifetime, "l".into(), "w".into()).unwrap();
        assert_eq!(value(&store, lifetime).as_deref(), Some("old"));
        store.wipe().unwrap();
        assert_eq!(value(&store, lifetime), None, "an empty record is one, too");
    }

    #[test]
    fn a_link_in_place_of_the_old_record_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let store = StateFiles { directory: dir.path().join("record/fs#1"), ..store(dir.path(), "one") };
        fs::create_dir_all(dir.path().join("driver")).unwrap();
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        fs::write(dir.path().join("elsewhere/fs.1.persistent.json"), r#"{"values":{"k":"forged"}}"#).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("driver/state")).unwrap();
        store.settle().unwrap();
        assert_eq!(value(&store, StateLifetime::Persistent), None);
        assert!(dir.path().join("elsewhere/fs.1.persistent.json").exists());
    }

    #[test]
    fn no_other_user_may_read_it() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir.path().join("state"), "one");
        fs::create_dir(dir.path().join("state")).unwrap();
        // Left by a process that was killed.
        fs::write(store.path(StateLifetime::Boot).with_extension("tmp"), "old").unwrap();
        store.set(StateLifetime::Boot, "k".into(), "v".into()).unwrap();
        assert_eq!(fs::metadata(store.path(StateLifetime::Boot)).unwrap().mode() & 0o777, 0o600);
        let deep = StateFiles { directory: dir.path().join("a/b"), ..store };
        deep.set(StateLifetime::Boot, "k".into(), "v".into()).unwrap();
        assert_eq!(fs::metadata(dir.path().join("a")).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn both_lifetimes_together_hold_64_kib() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        store.set(StateLifetime::Boot, "k".into(), "x".repeat(MAX_BYTES / 2)).unwrap();
        assert!(store.set(StateLifetime::Persistent, "k".into(), "x".repeat(MAX_BYTES / 2)).is_err());
        store.set(StateLifetime::Persistent, "k".into(), "x".repeat(MAX_BYTES / 2 - 2)).unwrap();
        store.set(StateLifetime::Boot, "k".into(), "x".into()).unwrap();
    }

    fn entry(number: usize, values: Vec<String>) -> DeclaredEntry {
        DeclaredEntry {
            holding: DeclaredHolding {
                kind: "ticket".into(),
                id: number.to_string(),
                label: String::new(),
                scope: holding::HoldingScope::Persistent,
            },
            keywords: vec![KeywordThen { name: "own".into(), values, from: None }],
        }
    }

    #[test]
    fn a_declaration_moves_to_another_scope_and_is_never_without_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        let scopes = || StateLifetime::ALL.map(|lifetime| store.read(lifetime).unwrap().declared.len());
        store.declare(StateLifetime::Boot, entry(1, Vec::new()), Vec::new()).unwrap();
        assert_eq!(scopes(), [1, 0]);
        let too_much = vec![("k".to_owned(), "x".repeat(MAX_BYTES))];
        assert!(store.declare(StateLifetime::Persistent, entry(1, Vec::new()), too_much).is_err());
        assert_eq!(scopes(), [1, 0], "the old record stays where the new one cannot be written");
        store.declare(StateLifetime::Persistent, entry(1, Vec::new()), Vec::new()).unwrap();
        assert_eq!(scopes(), [0, 1]);
        // What moves counts once.
        store.set(StateLifetime::Persistent, "k".into(), "x".repeat(MAX_BYTES - 20)).unwrap();
        store.declare(StateLifetime::Boot, entry(1, Vec::new()), Vec::new()).unwrap();
        assert_eq!(scopes(), [1, 0]);
    }

    #[test]
    fn what_a_declaration_remembers_of_its_keywords_counts() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        let declare =
            |number, values| store.declare(StateLifetime::Persistent, entry(number, values), Vec::new()).is_ok();
        let declared = (0..1000).take_while(|number| declare(*number, vec!["x".repeat(10_000)])).count();
        assert_eq!(declared, 6);
        assert!(!declare(7, vec![String::new(); MAX_BYTES]), "a list of many empty values is large, too");
        assert!(fs::metadata(store.path(StateLifetime::Persistent)).unwrap().len() < 2 * MAX_BYTES as u64);
    }
}
