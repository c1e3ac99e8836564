//! What drivers are, ask for and may do, as documents.

use grant::{EffectiveGrant, GrantRequest, GrantSentence, GrantStatus};
use model::{DriverName, ObjectPath, Rid};
use protocol::{
    BrokenDriverDocument, DriverDoc, DriverGrants, DriverInspection, DriverList, DriverPolicy, DriverSummary,
    GrantDocument, GrantLimits, GrantVerdict, GuardedRequests, InspectedKeyword,
};

use super::PolicyChangeError;
use super::file::PolicyFile;
use super::mistakes::mistakes;
use super::reference::DriverReference;
use crate::Agent;
use crate::drivers::effective::{EffectiveGrantsError, enforced_by};
use crate::drivers::{AvailableDriver, DriverOrigin};
use crate::log::{SecretValues, hide_secret_values};
use crate::node::paths::policy_of;

impl Agent {
    /// The drivers of this node.
    pub fn driver_list(&self) -> DriverList {
        let drivers = self.drivers();
        let broken = drivers.broken();
        DriverList {
            drivers: drivers.iter().map(summary).collect(),
            broken: broken
                .map(|driver| BrokenDriverDocument { file: driver.file.clone(), reason: driver.reason.clone() })
                .collect(),
        }
    }

    /// The manuals of all drivers, by name.
    pub fn driver_manuals(&self) -> Vec<DriverDoc> {
        self.drivers().iter().map(|known| DriverDoc::from(&known.manifest)).collect()
    }

    /// The manual of a driver, by its name or an alias.
    pub fn driver_manual(&self, name: &DriverName) -> Option<DriverDoc> {
        self.drivers().get(name).map(|known| DriverDoc::from(&known.manifest))
    }

    /// What a driver is and asks for, and what the site's policy says of it.
    pub async fn inspect_driver(&self, driver: &str) -> Result<DriverInspection, PolicyChangeError> {
        let driver = self.driver_reference(driver).await?;
        let manifest = driver.manifest();
        let (grants, _) = sentences(&manifest.grants);
        let malformed = mistakes(manifest, driver.trust());
        Ok(DriverInspection {
            name: manifest.name.to_string(),
            version: manifest.version.clone(),
            summary: manifest.summary.clone(),
            origin: driver.origin(),
            digest: driver.digest().to_owned(),
            aliases: manifest.aliases.clone(),
            verbs: manifest.verbs.iter().map(|verb| verb.as_str().to_owned()).collect(),
            persistent: manifest.persistent,
            keywords: manifest.keywords.iter().map(InspectedKeyword::from).collect(),
            grants,
            malformed,
            site: self.driver_policy(&driver),
        })
    }

    fn driver_policy(&self, driver: &DriverReference) -> DriverPolicy {
        let name = &driver.manifest().name;
        let path = policy_of(self.home(), name);
        match PolicyFile::read(self.home(), name) {
            Ok(file) => DriverPolicy { file: path, lines: file.lines(), error: None },
            Err(error) => DriverPolicy { file: path, lines: Vec::new(), error: Some(crate::chain(&error)) },
        }
    }

    /// What the driver of a resource may do for it. `driver` is the one that the caller asks about: another one drives the
    /// resource if the name in the document differs.
    pub async fn driver_grants(&self, path: &ObjectPath, rid: &Rid) -> Result<DriverGrants, EffectiveGrantsError> {
        let found = self.effective(path, rid).await?;
        let secrets = SecretValues::default();
        for secret in &found.secrets {
            secrets.add(secret);
            // As a grant line writes it.
            secrets.add(&secret.replace('\\', r"\\").replace('"', r#"\""#));
        }
        let drivers = self.drivers();
        let known = drivers.get(&found.driver);
        Ok(DriverGrants {
            // The section may name the driver by an alias.
            driver: known.map_or_else(|| found.driver.to_string(), |known| known.manifest.name.to_string()),
            digest: known.map(|known| known.digest.clone()).unwrap_or_default(),
            object: path.to_string(),
            rid: rid.to_string(),
            grants: found.lines.iter().map(|line| effective(line, &secrets)).collect(),
            guarded: found.guarded.map(|guarded| match guarded {
                Ok(lets_through) => GuardedRequests {
                    lets_through: lets_through.iter().map(|line| secrets.redact(line).into_owned()).collect(),
                    reason: None,
                },
                Err(reason) => GuardedRequests { lets_through: Vec::new(), reason: Some(reason) },
            }),
            keywords: found.keywords.iter().map(|line| hide_secret_values(&secrets.redact(line))).collect(),
            unresolved: found.unresolved,
            enforced_by: enforced_by(self.home()),
        })
    }
}

fn summary(known: &AvailableDriver) -> DriverSummary {
    let manifest = &known.manifest;
    DriverSummary {
        name: manifest.name.to_string(),
        version: manifest.version.clone(),
        origin: if matches!(known.origin, DriverOrigin::Builtin(_)) { "built in" } else { "installed" }.to_owned(),
        digest: known.digest.clone(),
        aliases: manifest.aliases.clone(),
        summary: manifest.summary.clone(),
    }
}

/// The requests of a manifest in words, and what is wrong with those that are not grants.
pub(super) fn sentences(grants: &[String]) -> (Vec<GrantDocument>, Vec<String>) {
    let (mut sentences, mut malformed) = (Vec::new(), Vec::new());
    for line in grants {
        match line.parse::<GrantRequest>() {
            Ok(request) => sentences.push(sentence(&request.sentence())),
            Err(error) => malformed.push(error.to_string()),
        }
    }
    (sentences, malformed)
}

fn sentence(sentence: &GrantSentence) -> GrantDocument {
    GrantDocument {
        grant: sentence.grant.clone(),
        verb: sentence.verb.to_owned(),
        object: sentence.object.clone(),
        root_equivalent: sentence.root_equivalent.map(str::to_owned),
    }
}

fn effective(effective: &EffectiveGrant, secrets: &SecretValues) -> GrantVerdict {
    let mut sentence = sentence(&effective.sentence);
    let covered = |text: &str| secrets.redact(text).into_owned();
    (sentence.object, sentence.grant) = (covered(&sentence.object), covered(&sentence.grant));
    let (standing, by) = match &effective.standing {
        GrantStatus::Allowed => ("allowed", GrantLimits::Nothing),
        GrantStatus::Narrowed(lines) => {
            ("narrowed", GrantLimits::Lines(lines.iter().map(|line| covered(line)).collect()))
        }
        GrantStatus::Refused(by) => ("refused", GrantLimits::Refuser(covered(&by.to_string()))),
    };
    GrantVerdict { masked: hide_secret_values(&sentence.object), sentence, standing: standing.to_owned(), by }
}
