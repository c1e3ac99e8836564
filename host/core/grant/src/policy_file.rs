//! The text of policy files, and what only a site's file says: whose component it is about, and what it may use up.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::line::{Attributes, Line};
use crate::net::Side;
use crate::policy::Policy;
use crate::token::Fault;

/// The sha256 of a driver's component: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest(String);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest: expected sha256: and 64 hexadecimal digits in lower case")]
pub struct NoDigest(pub String);

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Digest, NoDigest> {
        let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        match text.strip_prefix("sha256:") {
            Some(digits) if digits.len() == 64 && digits.chars().all(hexadecimal) => Ok(Digest(text.to_owned())),
            _ => Err(NoDigest(text.to_owned())),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What stands in a driver's `.policy` file: a [`Policy`], and what only a site says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePolicy {
    /// The one component that the file is about.
    pub digest: Option<Digest>,
    /// What the sandbox may use up.
    pub limits: Limits,
    /// What the driver may do.
    pub policy: Policy,
}

/// What the sandbox may use up. None: the host's own limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processor time of a call.
    pub cpu: Option<Duration>,
    /// Time of a call.
    pub wall: Option<Duration>,
    /// Bytes of log and output of a call.
    pub output: Option<u64>,
}

impl Limits {
    /// Of each, the lower one.
    #[must_use]
    pub fn and(self, other: Limits) -> Limits {
        fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        Limits {
            memory: lower(self.memory, other.memory),
            cpu: lower(self.cpu, other.cpu),
            wall: lower(self.wall, other.wall),
            output: lower(self.output, other.output),
        }
    }
}

/// Where a driver comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Embedded in the agent: may do what it asks for unless the site says less.
    BuiltIn,
    /// Anybody's: may do nothing unless the site says so.
    ThirdParty,
}

/// What is wrong with a line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct PolicyError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong, and what was expected.
    pub reason: String,
}

impl Policy {
    /// Reads a namespace's file, and reports all that is wrong with it.
    pub fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
        let file = File::parse(text, |word, _, column| {
            Err(Fault::new(column, format!("unknown word {word:?}: expected allow or deny")))
        })?;
        Ok(Policy::new(false, file.allow, file.deny))
    }
}

impl SitePolicy {
    /// Reads a driver's file, and reports all that is wrong with it.
    pub fn parse(text: &str) -> Result<SitePolicy, Vec<PolicyError>> {
        let mut digest = None;
        let mut limits = Limits::default();
        let file = File::parse(text, |word, rest, column| {
            let value_column = column + word.chars().count() + 1;
            match word {
                "digest" if digest.is_some() => {
                    Err(Fault::new(column, "a second digest: the file is about one component"))
                }
                "digest" => {
                    digest = Some(rest.parse().map_err(|error: NoDigest| Fault::new(value_column, error.to_string()))?);
                    Ok(())
                }
                "limit" => limit(&mut limits, rest).map_err(|reason| Fault::new(value_column, reason)),
                _ => Err(Fault::new(column, format!("unknown word {word:?}: expected digest, allow, deny or limit"))),
            }
        })?;
        Ok(SitePolicy { digest, limits, policy: Policy::new(false, file.allow, file.deny) })
    }

    /// The same file, or none, with limits that the site has written elsewhere. Limits alone allow and forbid nothing.
    pub fn limited(file: Option<SitePolicy>, limits: Limits) -> Option<SitePolicy> {
        if limits == Limits::default() {
            return file;
        }
        let empty = SitePolicy { digest: None, limits, policy: Policy::nothing() };
        Some(file.map_or(empty, |file| SitePolicy { limits: file.limits.and(limits), ..file }))
    }

    /// What the site allows a driver of this digest. A file that names another digest is about another driver: it allows
    /// nothing, so that what was trusted once is not replaced unseen.
    pub fn resolve(file: Option<SitePolicy>, trust: Trust, digest: &Digest) -> Policy {
        match (file, trust) {
            (None, Trust::BuiltIn) => Policy::everything(),
            (None, Trust::ThirdParty) => Policy::nothing(),
            (Some(file), _) if file.digest.as_ref().is_some_and(|named| named != digest) => Policy::nothing(),
            (Some(file), Trust::BuiltIn) => file.policy.opened(),
            (Some(file), Trust::ThirdParty) if file.digest.is_some() => file.policy,
            (Some(_), Trust::ThirdParty) => Policy::nothing(),
        }
    }
}

/// The lines of a file.
#[derive(Default)]
struct File {
    allow: Vec<Line>,
    deny: Vec<Line>,
}

impl File {
    /// Reads the lines; `other` is called with the first word, the rest and the column of what is neither allow nor deny.
    fn parse(
        text: &str,
        mut other: impl FnMut(&str, &str, usize) -> Result<(), Fault>,
    ) -> Result<File, Vec<PolicyError>> {
        let mut file = File::default();
        let mut errors = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Err(fault) = file.read(line, &mut other) {
                errors.push(PolicyError { line: number, column: fault.column, reason: fault.reason });
            }
        }
        if errors.is_empty() { Ok(file) } else { Err(errors) }
    }

    fn read(
        &mut self,
        line: &str,
        other: &mut impl FnMut(&str, &str, usize) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
        let rest_column = column + word.chars().count() + 1;
        match word {
            "allow" => self.allow.push(Line::parse(rest, rest_column, Side::Policy)?),
            "deny" => {
                let line = Line::parse(rest, rest_column, Side::Policy)?;
                if line.attributes != Attributes::default() {
                    return Err(Fault::new(rest_column, "deny takes no attributes: it forbids in every case"));
                }
                self.deny.push(line);
            }
            word => other(word, without_comment(rest), column)?,
        }
        Ok(())
    }
}

fn without_comment(text: &str) -> &str {
    text.split(" #").next().unwrap_or_default().trim()
}

fn limit(limits: &mut Limits, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = value.trim();
    let size =
        || size(value).ok_or_else(|| format!("{value:?} is no size: expected a number with k, m or g, such as 64m"));
    let time = || {
        time(value).ok_or_else(|| format!("{value:?} is no duration: expected a number with ms, s, m or h, such as 2s"))
    };
    match name {
        "memory" => limits.memory = Some(size()?),
        "cpu" => limits.cpu = Some(time()?),
        "wall" => limits.wall = Some(time()?),
        "output" => limits.output = Some(size()?),
        _ => return Err(format!("unknown limit {name:?}: expected memory, cpu, wall or output")),
    }
    Ok(())
}

/// A number and its unit.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok().filter(|number| *number > 0)?, &text[end..]))
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = number(text)?;
    let shift = match unit {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = number(text)?;
    Some(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    })
}
