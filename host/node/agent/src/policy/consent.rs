//! Allowing and denying: what would be allowed is shown first, and only the build that was shown is allowed.

use std::path::Path;

use grant::{ComponentDigest, DriverTrust, consent};
use model::DriverName;
use protocol::{DriverConsent, InstalledDriver, PolicyChange};

use super::PolicyChangeError;
use super::file::{PolicyFile, grant_line, whole_requests};
use super::inspection::sentences;
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
        Ok(DriverConsent {
            name: manifest.name.to_string(),
            version: manifest.version.clone(),
            built_in: driver.trust() == DriverTrust::BuiltIn,
            digest: driver.digest().to_owned(),
            aliases: manifest.aliases.clone(),
            grants,
            malformed,
            lines: lines(&driver, add)?,
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
        let lines = lines(&driver, add)?;
        let file = PolicyFile::read(self.home(), &name)?;
        if let DriverReference::Component(component) = &driver {
            self.install_component(component, true)?;
        }
        let text = match driver.trust() {
            DriverTrust::BuiltIn => consent::allow_builtin(&file.text, &lines),
            DriverTrust::ThirdParty => {
                let digest: ComponentDigest = driver.digest().parse()?;
                consent::allow(&file.text, &digest, &lines)
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
            ([], DriverTrust::BuiltIn) => consent::deny_builtin(&file.text, &whole_requests(&manifest.grants)?),
            (typed, _) => {
                let lines: Vec<String> = typed.iter().map(|line| grant_line(line)).collect::<Result<_, _>>()?;
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

    /// Removes an installed driver. Its policy stays.
    pub fn remove_driver(&self, driver: &str) -> Result<DriverName, PolicyChangeError> {
        let name: DriverName = driver.parse()?;
        drivers::remove(&self.drivers(), &name)?;
        self.prune_compiled();
        Ok(name)
    }
}

fn lines(driver: &DriverReference, add: &[String]) -> Result<Vec<String>, PolicyChangeError> {
    match add {
        [] => whole_requests(&driver.manifest().grants),
        add => add.iter().map(|typed| grant_line(typed)).collect(),
    }
}
