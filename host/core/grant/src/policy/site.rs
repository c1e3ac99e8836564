//! A site's policy for one driver: besides `allow` and `deny`, the component that it trusts and the limits of a call.

use super::allow_deny::Policy;
use super::digest::{ComponentDigest, DigestError};
use super::file::{PolicyError, PolicyLines, PolicyOwner};
use super::limits::SandboxLimits;
use crate::line::token::LineFault;

/// A driver's `.policy` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePolicy {
    /// The one component that the file is about.
    pub digest: Option<ComponentDigest>,
    /// The limits of a call.
    pub limits: SandboxLimits,
    /// The permissions of the driver.
    pub policy: Policy,
}

/// Where a driver comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverTrust {
    /// Embedded in the agent: it may do what it requests unless the site allows less.
    BuiltIn,
    /// Installed from elsewhere: it may do nothing unless the site allows it.
    ThirdParty,
}

impl SitePolicy {
    /// Reads a driver's file, and reports everything that is wrong with it.
    pub fn parse(text: &str) -> Result<SitePolicy, Vec<PolicyError>> {
        let mut digest = None;
        let mut limits = SandboxLimits::default();
        let policy = PolicyLines::parse(text, PolicyOwner::Driver, |word, rest, column| {
            let value_column = column + word.chars().count() + 1;
            match word {
                "digest" if digest.is_some() => {
                    Err(LineFault::new(column, "a second digest: the file is about one component"))
                }
                "digest" => {
                    let parsed = rest.parse();
                    digest =
                        Some(parsed.map_err(|error: DigestError| LineFault::new(value_column, error.to_string()))?);
                    Ok(())
                }
                "limit" => limits.read(rest).map_err(|reason| LineFault::new(value_column, reason)),
                _ => {
                    Err(LineFault::new(column, format!("unknown word {word:?}: expected digest, allow, deny or limit")))
                }
            }
        })?;
        Ok(SitePolicy { digest, limits, policy })
    }

    /// Adds limits that the site wrote elsewhere to a file, or to no file. Limits alone allow and forbid nothing.
    pub fn limited(file: Option<SitePolicy>, limits: SandboxLimits) -> Option<SitePolicy> {
        if limits == SandboxLimits::default() {
            return file;
        }
        // `Policy::nothing`, as in a file without lines: `resolve` opens it for a built-in driver.
        let empty = SitePolicy { digest: None, limits, policy: Policy::nothing() };
        Some(file.map_or(empty, |file| SitePolicy { limits: file.limits.and(limits), ..file }))
    }

    /// The policy for a driver of this digest. A file that names another digest allows nothing, so that another
    /// component cannot take the place of one that the site trusted.
    pub fn resolve(file: Option<SitePolicy>, trust: DriverTrust, digest: &ComponentDigest) -> Policy {
        match (file, trust) {
            (None, DriverTrust::BuiltIn) => Policy::everything(),
            (None, DriverTrust::ThirdParty) => Policy::nothing(),
            (Some(SitePolicy { digest: Some(named), .. }), _) if named != *digest => Policy::of_other_build(named),
            // A file of denials alone takes away from all that a built-in driver may do.
            (Some(file), DriverTrust::BuiltIn) => file.policy.opened(),
            (Some(file), DriverTrust::ThirdParty) if file.digest.is_some() => file.policy,
            // Without a digest the file would trust any component that is put in the driver's place.
            (Some(_), DriverTrust::ThirdParty) => Policy::nothing(),
        }
    }
}
