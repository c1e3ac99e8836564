//! Allowing and denying: what would be allowed is shown first, and only the build that was shown is allowed.

use std::path::Path;

use grant::{ComponentDigest, DriverTrust, GrantRequest, consent};
use model::DriverName;
use protocol::{DriverConsent, InstalledDriver, PolicyChange};

use super::PolicyChangeError;
use super::file::{PolicyFile, allowed_line, denied_line, whole_requests};
use super::inspection::sentences;
use super::mistakes::mistakes;
use super::reference::DriverReference;
use crate::Agent;
use crate::drivers::{self, DriverComponent, InstallError};

impl Agent {
    /// What [`Agent::allow_driver`] would allow: the typed grants, or without any all that the driver asks for.
    pub async fn consent(&self, driver: &str, add: &[String]) -> Result<DriverConsent, PolicyChangeError> {
        let driver = self.driver_reference(driver).await?;
        let manifest = driver.manifest();
        // Before the question: what cannot be installed is not asked about.
        self.drivers().clash(manifest).map_or(Ok(()), Err).map_err(InstallError::from)?;
        let (grants, malformed) = sentences(&manifest.grants);
        must_work(&driver)?;
        let lines = lines(&driver, add)?;
        let file = PolicyFile::read(self.home(), &manifest.name)?;
        must_be_of_this_build(&driver, &file, add)?;
        let before = file.digest.as_ref().filter(|digest| digest.to_string() != driver.digest());
        Ok(DriverConsent {
            name: manifest.name.to_string(),
            version: manifest.version.clone(),
            built_in: driver.trust() == DriverTrust::BuiltIn,
            digest: driver.digest().to_owned(),
            aliases: manifest.aliases.clone(),
            grants,
            malformed,
            file: file.path.clone(),
            other_build: before.map(|digest| digest.short().to_owned()),
            changes: before.map(|_| consent::changes(&file.text, &lines)).unwrap_or_default(),
            without_effect: add.iter().filter(|typed| !is_asked_for(&driver, typed)).cloned().collect(),
            stores: stores(&driver),
            defaults: defaults(&driver),
            lines,
        })
    }

    /// Allows a driver the typed grants, or all that it asks for. A component's file is installed first. `digest` is the
    /// build that was shown: no other one is allowed.
    pub async fn allow_driver(
        &self,
        driver: &str,
        add: &[String],
        digest: &str,
    ) -> Result<PolicyChange, PolicyChangeError> {
        let driver = self.driver_reference(driver).await?;
        let name = driver.manifest().name.clone();
        // The file may have been replaced while the operator was asked.
        if driver.digest() != digest {
            return Err(PolicyChangeError::OtherBuild(name.to_string()));
        }
        must_work(&driver)?;
        let lines = lines(&driver, add)?;
        let file = PolicyFile::read(self.home(), &name)?;
        must_be_of_this_build(&driver, &file, add)?;
        // Before the policy: a crash in between leaves a driver that may do nothing, and not a
        // policy that waits for a driver.
        if let DriverReference::Component(component) = &driver {
            self.install_component(component, true)?;
        }
        let text = match driver.trust() {
            DriverTrust::BuiltIn => consent::allow_builtin(&file.text, &lines),
            DriverTrust::ThirdParty => {
                let digest: ComponentDigest = driver.digest().parse()?;
                let text = if add.is_empty() { consent::without_stale(&file.text, &lines) } else { file.text.clone() };
                consent::allow(&text, &digest, &lines)
            }
        };
        let changed = file.replace(&text)?;
        self.prune_compiled();
        Ok(PolicyChange { driver: name.to_string(), changed, file: file.path })
    }

    /// Removes compiled forms of drivers that are not here: of builds that were replaced, refused or only looked at.
    pub(super) fn prune_compiled(&self) {
        if let Ok(runtime) = self.runtime() {
            runtime.prune(&self.drivers().iter().map(|known| known.digest.clone()).collect());
        }
    }

    /// Denies a driver the typed grants, or without any all of them.
    pub fn deny_driver(&self, driver: &str, grants: &[String]) -> Result<PolicyChange, PolicyChangeError> {
        let driver = self.available_driver(driver)?;
        let manifest = driver.manifest();
        let file = PolicyFile::read(self.home(), &manifest.name)?;
        let text = match (grants, driver.trust()) {
            ([], DriverTrust::ThirdParty) => consent::deny_all(&file.text),
            // A built-in driver may do what no line is about, so each of its requests is denied by its own line.
            ([], DriverTrust::BuiltIn) => {
                consent::deny_builtin(&file.text, &whole_requests(&manifest.grants, GrantRequest::wide_line)?)
            }
            (typed, _) => {
                let lines: Vec<String> = typed.iter().map(|line| denied_line(line)).collect::<Result<_, _>>()?;
                consent::deny(&file.text, &lines)
            }
        };
        Ok(PolicyChange { driver: manifest.name.to_string(), changed: file.replace(&text)?, file: file.path })
    }

    /// Installs a component's file. It may do nothing until it is allowed to.
    pub async fn install_driver(&self, file: &Path, force: bool) -> Result<InstalledDriver, PolicyChangeError> {
        let opened = DriverComponent::open(file, self.runtime()).await;
        let installed = opened.map_err(PolicyChangeError::from).and_then(|component| {
            self.install_component(&component, force)?;
            Ok(component)
        });
        self.prune_compiled();
        let component = installed?;
        let manifest = &component.manifest;
        let (name, version) = (manifest.name.to_string(), manifest.version.clone());
        Ok(InstalledDriver { name, version, digest: component.digest })
    }

    fn install_component(&self, component: &DriverComponent, force: bool) -> Result<(), PolicyChangeError> {
        Ok(component.install(&self.drivers(), &self.home().installed_drivers(), force)?)
    }

    /// Removes an installed driver. Its policy stays. One that a resource needs is removed only with `force`.
    pub fn remove_driver(&self, driver: &str, force: bool) -> Result<DriverName, PolicyChangeError> {
        let name: DriverName = driver.parse()?;
        let users = self.drivers().named(&name).map(|known| self.users_of(&known.manifest)).unwrap_or_default();
        if !force && !users.is_empty() {
            return Err(PolicyChangeError::Needed { name: name.to_string(), users });
        }
        drivers::remove(&self.drivers(), &name)?;
        self.prune_compiled();
        Ok(name)
    }
}

fn lines(driver: &DriverReference, add: &[String]) -> Result<Vec<String>, PolicyChangeError> {
    match add {
        [] => whole_requests(&driver.manifest().grants, GrantRequest::allow_line),
        add => add.iter().map(|typed| allowed_line(typed)).collect(),
    }
}

/// Refuses a driver whose manifest cannot work: what it may do would not be what was read.
fn must_work(driver: &DriverReference) -> Result<(), PolicyChangeError> {
    let (manifest, found) = (driver.manifest(), mistakes(driver.manifest(), driver.trust()));
    match found.is_empty() {
        true => Ok(()),
        false => Err(PolicyChangeError::Mistakes { name: manifest.name.to_string(), mistakes: found }),
    }
}

/// Refuses to add a line to what was allowed to another build: nobody has read what this one does with the other lines.
fn must_be_of_this_build(driver: &DriverReference, file: &PolicyFile, add: &[String]) -> Result<(), PolicyChangeError> {
    match &file.digest {
        Some(allowed) if !add.is_empty() && allowed.to_string() != driver.digest() => {
            let present = driver.digest().parse::<ComponentDigest>()?;
            let [allowed, present] = [allowed, &present].map(|digest| digest.short().to_owned());
            Err(PolicyChangeError::OfOtherBuild { name: driver.manifest().name.to_string(), allowed, present })
        }
        _ => Ok(()),
    }
}

/// Whether the driver asks for anything that the typed line is about.
fn is_asked_for(driver: &DriverReference, typed: &str) -> bool {
    let requests = driver.manifest().grants.iter().filter_map(|line| line.parse::<GrantRequest>().ok());
    allowed_line(typed).is_ok_and(|line| requests.into_iter().any(|request| request.may_need(&line)))
}

/// The keywords by which a configuration gives the driver what data stores hold.
fn stores(driver: &DriverReference) -> Vec<String> {
    let keywords = driver.manifest().keywords.iter();
    keywords.filter_map(|keyword| Some(format!("{}: keys of {} stores", keyword.name, keyword.store?))).collect()
}

/// The defaults of keywords that grants name: of an installed driver they grant nothing.
fn defaults(driver: &DriverReference) -> Vec<String> {
    if driver.trust() == DriverTrust::BuiltIn {
        return Vec::new();
    }
    let requests = driver.manifest().grants.iter().filter_map(|line| line.parse::<GrantRequest>().ok());
    let named: std::collections::BTreeSet<String> = requests.flat_map(|request| request.keywords()).collect();
    let keywords = driver.manifest().keywords.iter().filter(|keyword| named.contains(&keyword.name));
    keywords.filter_map(|keyword| Some(format!("{} = {}", keyword.name, keyword.default.as_ref()?))).collect()
}
