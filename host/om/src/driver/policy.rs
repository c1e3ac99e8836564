//! A driver's `.policy` file: read, shown to be right, replaced whole.

use std::path::PathBuf;

use agent::file::durable;
use agent::file::text::NotText;
use agent::node::paths::policy_of;
use anyhow::anyhow;
use grant::{GrantRequest, PolicyError, SitePolicy};
use model::DriverName;

use crate::exit::Failure;
use crate::session::Session;

/// The file of a driver.
pub(super) struct PolicyFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl PolicyFile {
    /// Reads the file. A broken one is not edited: what would become of it nobody could tell.
    pub(super) fn read(session: &Session, driver: &DriverName) -> Result<PolicyFile, Failure> {
        let path = policy_of(session.agent.home(), driver);
        let content = durable::read(&path).map_err(anyhow::Error::from)?.unwrap_or_default();
        let text = NotText::check(content).map_err(|odd| anyhow!(odd.sentence(path.display())))?;
        SitePolicy::parse(&text).map_err(|errors| located(&path.display().to_string(), &errors))?;
        Ok(PolicyFile { path, text })
    }

    /// Replaces it, if the new text is a policy.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        SitePolicy::parse(text).map_err(|errors| located("the new policy", &errors))?;
        Ok(durable::write(&self.path, text.as_bytes()).map_err(anyhow::Error::from)?)
    }
}

/// A grant as somebody typed it: `exec = /bin/x`, or `exec:/bin/x`. The keywords of a request become stars.
pub(super) fn grant_line(typed: &str) -> Result<String, Failure> {
    let end = typed.find(|c: char| !c.is_ascii_lowercase() && c != '.').unwrap_or(typed.len());
    let line = match typed[end..].strip_prefix(':') {
        Some(rest) => format!("{} = {rest}", &typed[..end]),
        None => typed.trim().to_owned(),
    };
    if let Ok(request) = line.parse::<GrantRequest>()
        && !request.keywords().is_empty()
    {
        return Ok(request.allow_line());
    }
    SitePolicy::parse(&format!("allow {line}"))
        .map_err(|errors| anyhow!("{typed:?} is not a grant: {}", errors[0].reason))?;
    Ok(line)
}

fn located(what: &str, errors: &[PolicyError]) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(|e| format!("{what}:{}:{}: {}", e.line, e.column, e.reason)).collect();
    anyhow!("{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::grant_line;

    #[test]
    fn grants_may_be_typed_in_short_and_as_requests() {
        for (typed, line) in [
            ("exec = /bin/x -r", "exec = /bin/x -r"),
            ("exec:/bin/x -r", "exec = /bin/x -r"),
            ("exec(caps=cap_net_admin) = /bin/x", "exec(caps=cap_net_admin) = /bin/x"),
            ("exec = /bin/x -- {kw:dev}", "exec = /bin/x -- *"),
        ] {
            assert_eq!(grant_line(typed).ok().as_deref(), Some(line), "{typed}");
        }
        for typed in ["", "exec", "fly = /x", "exec = bin/x"] {
            assert!(grant_line(typed).is_err(), "{typed}");
        }
    }
}
