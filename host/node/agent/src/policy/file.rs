//! A driver's `.policy` file: read, checked and replaced as a whole.

use std::path::PathBuf;

use grant::{ComponentDigest, DigestError, GrantRequest, GrantRequestError, PolicyError, SitePolicy};
use model::DriverName;
use model::rid::InvalidDriverName;

use crate::Directories;
use crate::drivers::InstallError;
use crate::file::durable::{self, FileError};
use crate::file::text::NotText;
use crate::node::paths::policy_of;

/// Why a driver cannot be named, installed, allowed or denied.
#[derive(Debug, thiserror::Error)]
pub enum PolicyChangeError {
    /// There is no such driver.
    #[error("no driver {0}: see om driver ls")]
    Unknown(String),
    /// What was typed cannot be a driver's name.
    #[error(transparent)]
    Name(#[from] InvalidDriverName),
    /// The driver is installed, but broken.
    #[error("{0} cannot be used: {1}")]
    Broken(String, String),
    /// The component cannot be read, installed or removed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The policy file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The policy file is not text, or not a policy.
    #[error("{0}")]
    NotPolicy(String),
    /// What was typed is not a grant.
    #[error("{typed:?} is not a grant: {reason}")]
    NotGrant { typed: String, reason: String },
    /// The manifest asks for something that is not a grant.
    #[error("the driver asks for something that is not a grant")]
    Request(#[source] GrantRequestError),
    /// The digest of the component cannot be read.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The manifest cannot work.
    #[error("{name} cannot be allowed anything:\n  {}", mistakes.join("\n  "))]
    Mistakes { name: String, mistakes: Vec<String> },
    /// The policy is about another build.
    #[error(
        "the site allowed another build of {name} ({allowed}), and a line that is added now would allow this one ({present}) all \
         that was allowed then: om driver allow {name} shows what it asks for"
    )]
    OfOtherBuild { name: String, allowed: String, present: String },
    /// Resources need the driver.
    #[error("{name} is needed by {}: --force removes it all the same, and they can then not be stopped", users.join(", "))]
    Needed { name: String, users: Vec<String> },
    /// The component is not the one that was shown.
    #[error("{0} is another build than the one that was shown: nothing was allowed")]
    OtherBuild(String),
    /// Nothing can be run on this machine.
    #[error("{0}")]
    Runtime(String),
}

/// The policy file of a driver, with its present text.
pub(super) struct PolicyFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// The build that it is about.
    pub(super) digest: Option<ComponentDigest>,
}

impl PolicyFile {
    /// Reads the file. A broken one is not edited, because the meaning of the result could not be known.
    pub(super) fn read(home: &Directories, driver: &DriverName) -> Result<PolicyFile, PolicyChangeError> {
        let path = policy_of(home, driver);
        let content = durable::read(&path)?.unwrap_or_default();
        let text = NotText::check(content);
        let text = text.map_err(|odd| PolicyChangeError::NotPolicy(odd.sentence(path.display())))?;
        let policy = SitePolicy::parse(&text).map_err(|errors| located(&path.display().to_string(), &errors))?;
        Ok(PolicyFile { path, text, digest: policy.digest })
    }

    /// Replaces the text, if the new one is a policy. False if it is the same.
    pub(super) fn replace(&self, text: &str) -> Result<bool, PolicyChangeError> {
        if text == self.text {
            return Ok(false);
        }
        // A policy that does not parse refuses the driver altogether, so that its resources could not even be stopped.
        SitePolicy::parse(text).map_err(|errors| located("the new policy", &errors))?;
        durable::write(&self.path, text.as_bytes())?;
        Ok(true)
    }

    /// The lines that say something.
    pub(super) fn lines(&self) -> Vec<String> {
        let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
        self.text.lines().map(str::trim).filter(says).map(str::to_owned).collect()
    }
}

/// A grant that is allowed as it was typed: `exec = /bin/x`, or `exec:/bin/x`.
pub(super) fn allowed_line(typed: &str) -> Result<String, PolicyChangeError> {
    read_line(typed, GrantRequest::allow_line)
}

/// A grant that is denied as it was typed. The keywords of a request become stars.
pub(super) fn denied_line(typed: &str) -> Result<String, PolicyChangeError> {
    read_line(typed, GrantRequest::wide_line)
}

fn read_line(typed: &str, of_request: impl FnOnce(&GrantRequest) -> String) -> Result<String, PolicyChangeError> {
    // Only a colon right behind the operation separates: paths and arguments may hold others.
    let end = typed.find(|c: char| !c.is_ascii_lowercase() && c != '.').unwrap_or(typed.len());
    let line = match typed[end..].strip_prefix(':') {
        Some(rest) => format!("{} = {rest}", &typed[..end]),
        None => typed.trim().to_owned(),
    };
    if let Ok(request) = line.parse::<GrantRequest>()
        && !request.keywords().is_empty()
    {
        return Ok(of_request(&request));
    }
    SitePolicy::parse(&format!("allow {line}")).map_err(|errors| PolicyChangeError::NotGrant {
        typed: typed.to_owned(),
        reason: errors[0].reason.to_string(),
    })?;
    Ok(line)
}

/// The policy lines about all that a manifest asks for, each made of a request by `of_request`.
pub(super) fn whole_requests(
    grants: &[String],
    of_request: impl Fn(&GrantRequest) -> String,
) -> Result<Vec<String>, PolicyChangeError> {
    let line = |line: &String| line.parse::<GrantRequest>().map(|request| of_request(&request));
    grants.iter().map(line).collect::<Result<_, _>>().map_err(PolicyChangeError::Request)
}

fn located(what: &str, errors: &[PolicyError]) -> PolicyChangeError {
    let lines: Vec<String> = errors.iter().map(|e| format!("{what}:{}:{}: {}", e.line, e.column, e.reason)).collect();
    PolicyChangeError::NotPolicy(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{allowed_line, denied_line};

    #[test]
    fn grants_may_be_typed_in_short_and_as_requests() {
        for (typed, line) in [
            ("exec = /bin/x -r", "exec = /bin/x -r"),
            ("exec:/bin/x -r", "exec = /bin/x -r"),
            ("exec(caps=cap_net_admin) = /bin/x", "exec(caps=cap_net_admin) = /bin/x"),
            ("exec = /bin/x -- {kw:dev}", "exec = /bin/x -- {kw:dev}"),
        ] {
            assert_eq!(allowed_line(typed).ok().as_deref(), Some(line), "{typed}");
        }
        assert_eq!(denied_line("exec = /bin/x -- {kw:dev}").ok().as_deref(), Some("exec = /bin/x -- *"));
        for typed in ["", "exec", "fly = /x", "exec = bin/x"] {
            assert!(allowed_line(typed).is_err(), "{typed}");
        }
    }
}
