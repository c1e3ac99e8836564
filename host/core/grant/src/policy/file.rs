//! The text of policy files: one line per `allow`, `deny`, or setting, and all mistakes reported at once.

use super::allow_deny::Policy;
use crate::line::attributes::LineAttributes;
use crate::line::grant_line::GrantLine;
use crate::line::origin::LineOrigin;
use crate::line::token::LineFault;

/// A mistake in a line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The mistake, and the expected text.
    pub reason: String,
}

/// The policy of a namespace without a file: its objects may use their own files, and have containers of the node's engines as far
/// as the guard allows them. No device, no program, no network of the node, and no other socket.
const OWN_PATHS: &str = "
allow files.write = /srv/{namespace}/**
allow files.write = {rundir}/**
allow files.write = {statedir}/**
allow http.unix(guard=container) = * /run/docker.sock /**
allow http.unix(guard=container) = * /var/run/docker.sock /**
allow http.unix(guard=container) = * /run/podman/podman.sock /**
allow http.unix(guard=container) = * /var/run/podman/podman.sock /**
";

impl Policy {
    /// Reads a namespace's file, and reports everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
        PolicyLines::parse(text, PolicyOwner::Namespace, |word, _, column| {
            Err(LineFault::new(column, format!("unknown word {word:?}: expected allow or deny")))
        })
    }

    /// The policy of a namespace without a file: its own files, and containers.
    pub fn own_paths() -> Policy {
        // The text is fixed and tests read it; if it were ever wrong, it would allow nothing.
        Policy::parse(OWN_PATHS).unwrap_or_else(|_| Policy::nothing())
    }
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyOwner {
    /// The site's, about one driver: its lines may name the driver's keywords.
    Driver,
    /// That of a namespace.
    Namespace,
}

/// The lines of a file, while it is read.
pub(super) struct PolicyLines {
    owner: PolicyOwner,
    allow: Vec<GrantLine>,
    deny: Vec<GrantLine>,
}

impl PolicyLines {
    /// Reads the lines. Calls `other` with the first word, the rest and the column of a line that is neither `allow` nor
    /// `deny`.
    pub(super) fn parse(
        text: &str,
        owner: PolicyOwner,
        mut other: impl FnMut(&str, &str, usize) -> Result<(), LineFault>,
    ) -> Result<Policy, Vec<PolicyError>> {
        let mut lines = PolicyLines { owner, allow: Vec::new(), deny: Vec::new() };
        let mut errors = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            // Reading goes on after a mistake, so that one look at the file is enough to correct it.
            if let Err(fault) = lines.read(line, &mut other) {
                errors.push(PolicyError { line: number, column: fault.column, reason: fault.reason });
            }
        }
        if errors.is_empty() { Ok(Policy::new(false, lines.allow, lines.deny)) } else { Err(errors) }
    }

    fn read(
        &mut self,
        line: &str,
        other: &mut impl FnMut(&str, &str, usize) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
        let rest_column = column + word.chars().count() + 1;
        match word {
            "allow" => {
                let line = GrantLine::parse(rest, rest_column, LineOrigin::Policy)?;
                let why = "the policy of a namespace cannot name keywords: {kw:NAME} belongs in that of a driver";
                let fault = line.keyword_fault(why).filter(|_| self.owner == PolicyOwner::Namespace);
                fault.map_or(Ok(()), Err)?;
                self.allow.push(line);
            }
            "deny" => {
                let line = GrantLine::parse(rest, rest_column, LineOrigin::Policy)?;
                // `deny exec(read)` would read as if other ways to run the program were left.
                if line.attributes != LineAttributes::default() {
                    return Err(LineFault::new(rest_column, "deny takes no attributes: it forbids in every case"));
                }
                let fault = line.keyword_fault("a deny cannot name keywords: it would forbid nothing without them");
                fault.map_or(Ok(()), Err)?;
                self.deny.push(line);
            }
            // Grant lines cut off their comments themselves, since a `#` may stand in quotes there.
            word => other(word, without_comment(rest), column)?,
        }
        Ok(())
    }
}

fn without_comment(text: &str) -> &str {
    text.split(" #").next().unwrap_or_default().trim()
}
