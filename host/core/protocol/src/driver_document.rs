//! Drivers: lists, manuals, inspections, grants and policies.

use std::path::PathBuf;

use driver::Manifest;
use model::keyword::{Keyword, KeywordInheritance};
use serde::{Deserialize, Serialize};

use crate::config::KeywordKind;

/// The drivers of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverList {
    pub drivers: Vec<DriverSummary>,
    pub broken: Vec<BrokenDriverDocument>,
}

/// A driver in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverSummary {
    pub name: String,
    pub version: String,
    /// `built in` or `installed`.
    pub origin: String,
    pub digest: String,
    pub aliases: Vec<String>,
    pub summary: String,
}

/// An installed driver that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenDriverDocument {
    pub file: PathBuf,
    pub reason: String,
}

/// The manual of a driver in a list: `om config doc fs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverDocSummary {
    pub driver: String,
    pub aliases: Vec<String>,
    pub version: String,
    pub summary: String,
    pub description: String,
}

/// The manual of a driver: `om config doc fs.ext4`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverDoc {
    #[serde(flatten)]
    pub driver: DriverDocSummary,
    pub keywords: Vec<KeywordManual>,
}

/// The manual of a section that is not a driver's: `om config doc DEFAULT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionDoc {
    pub section: String,
    pub keywords: Vec<KeywordManual>,
}

/// The manual of a keyword.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordManual {
    pub keyword: String,
    pub aliases: Vec<String>,
    pub kind: KeywordKind,
    pub default: Option<String>,
    pub required: bool,
    pub scopable: bool,
    /// Whether the value is also looked up in DEFAULT.
    pub inherit: bool,
    /// Whether the keyword is for provision only.
    pub provisioning: bool,
    pub secret: bool,
    /// The kind of stores that the value names keys of.
    pub store: Option<String>,
    pub candidates: Vec<String>,
    pub help: String,
    pub example: String,
}

/// The description and the requests of a driver: `om driver inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverInspection {
    pub name: String,
    pub version: String,
    pub summary: String,
    /// `built in`, `installed as FILE` or `not installed`.
    pub origin: String,
    pub digest: String,
    pub aliases: Vec<String>,
    pub verbs: Vec<String>,
    /// Whether what it starts is still there after a reboot.
    pub persistent: bool,
    pub keywords: Vec<InspectedKeyword>,
    pub grants: Vec<GrantDocument>,
    /// Requests that are not grants, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub malformed: Vec<String>,
    pub site: DriverPolicy,
}

/// A keyword of an inspected driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedKeyword {
    pub name: String,
    pub kind: KeywordKind,
    pub required: bool,
    pub default: Option<String>,
    pub secret: bool,
    pub store: Option<String>,
    pub provisioning: bool,
}

/// A grant in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDocument {
    pub grant: String,
    /// `attach a loop device to`.
    pub verb: String,
    /// `/srv/web.img`.
    pub object: String,
    /// Why the grant is as good as being root, if it is.
    pub root_equivalent: Option<String>,
}

/// The lines of the site's policy file for a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverPolicy {
    pub file: PathBuf,
    pub lines: Vec<String>,
    /// Why the file cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The grants of a driver for one resource: `om driver inspect --effective`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverGrants {
    pub driver: String,
    pub digest: String,
    pub object: String,
    pub rid: String,
    pub grants: Vec<GrantVerdict>,
    /// The requests that the guard of a container engine's socket lets through, if there is one.
    pub guarded: Option<GuardedRequests>,
    /// The keywords that grants name, and whose word each is.
    pub keywords: Vec<String>,
    /// The keyword that has no value now, so that grants which need it are missing.
    pub unresolved: Option<String>,
    pub enforced_by: Vec<String>,
}

/// A grant for one resource, and what the policies leave of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantVerdict {
    #[serde(flatten)]
    pub sentence: GrantDocument,
    /// `allowed`, `narrowed` or `refused`.
    pub standing: String,
    /// The lines that narrow the grant, or who refused it.
    pub by: GrantLimits,
    /// The object of the sentence without secrets, for people.
    #[serde(skip)]
    pub masked: String,
}

/// The limits of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GrantLimits {
    Nothing,
    Lines(Vec<String>),
    Refuser(String),
}

/// The requests that the guard of a container engine's socket lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardedRequests {
    pub lets_through: Vec<String>,
    /// Why nothing is let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The grants that are about to be allowed to a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverConsent {
    pub name: String,
    pub version: String,
    pub built_in: bool,
    pub digest: String,
    /// Other names by which sections may call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The requests of the driver, in words.
    pub grants: Vec<GrantDocument>,
    /// Requests that are not grants, and why.
    pub malformed: Vec<String>,
    /// The policy file.
    pub file: PathBuf,
    /// The lines that would be in it.
    pub lines: Vec<String>,
    /// The build that the file allows, if it is another one.
    pub other_build: Option<String>,
    /// What this build asks for and that one did not, and the other way round, as `+ LINE` and `- LINE`.
    pub changes: Vec<String>,
    /// The typed grants that the driver does not ask for, so that they allow nothing.
    pub without_effect: Vec<String>,
    /// The keywords by which a configuration gives the driver what data stores hold.
    pub stores: Vec<String>,
    /// The defaults of keywords in grants, which grant nothing.
    pub defaults: Vec<String>,
}

/// The result of a change of a driver's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    pub driver: String,
    pub changed: bool,
    pub file: PathBuf,
}

/// The container engine of an object, and the object's containers there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineAccess {
    pub socket: PathBuf,
    pub containers: Vec<EngineContainer>,
}

/// A container of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineContainer {
    pub name: String,
    pub image: String,
}

impl From<&Keyword> for KeywordManual {
    fn from(keyword: &Keyword) -> KeywordManual {
        KeywordManual {
            keyword: keyword.name.clone(),
            aliases: keyword.aliases.clone(),
            kind: keyword.kind.into(),
            default: keyword.default.clone(),
            required: keyword.required,
            scopable: keyword.scopable,
            // A manual only has room for yes and no, as long as DEFAULT is the only place to look.
            inherit: keyword.inherit == KeywordInheritance::Default,
            provisioning: keyword.provisioning,
            secret: keyword.secret,
            store: keyword.store.map(|kind| kind.as_str().to_owned()),
            candidates: keyword.candidates.clone(),
            help: keyword.help.clone(),
            example: keyword.example.clone(),
        }
    }
}

impl From<&Keyword> for InspectedKeyword {
    fn from(keyword: &Keyword) -> InspectedKeyword {
        InspectedKeyword {
            name: keyword.name.clone(),
            kind: keyword.kind.into(),
            required: keyword.required,
            default: keyword.default.clone(),
            secret: keyword.secret,
            store: keyword.store.map(|kind| kind.as_str().to_owned()),
            provisioning: keyword.provisioning,
        }
    }
}

impl From<&Manifest> for DriverDocSummary {
    fn from(manifest: &Manifest) -> DriverDocSummary {
        DriverDocSummary {
            driver: manifest.name.to_string(),
            aliases: manifest.aliases.clone(),
            version: manifest.version.clone(),
            summary: manifest.summary.clone(),
            description: manifest.description.clone(),
        }
    }
}

impl From<&Manifest> for DriverDoc {
    fn from(manifest: &Manifest) -> DriverDoc {
        DriverDoc { driver: manifest.into(), keywords: manifest.keywords.iter().map(KeywordManual::from).collect() }
    }
}

/// A driver that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledDriver {
    pub name: String,
    pub version: String,
    pub digest: String,
}
