//! The requests of a driver whatever its keywords hold: for tests of drivers, which hand the driver its keywords as values of Rust.

use super::consent::{halves, policy_words};
use crate::bind::binder::Binder;
use crate::bind::context::{AnyDeviceLedger, GrantContext};
use crate::line::attributes::ANY_VARIABLE;
use crate::line::grant_line::GrantLine;
use crate::line::known_names::KnownNames;
use crate::line::linux_capabilities::ALL_CAPS;
use crate::line::origin::LineOrigin;
use crate::line::rule::GrantRule;
use crate::operation::{Operation, SideEffect};
use crate::request::{GrantRequest, GrantRequestError};

/// The requests of a driver, with stars for its keywords.
#[derive(Debug)]
pub struct WideGrants {
    rules: Vec<GrantRule>,
    /// The capabilities of lines whose words no star can stand for.
    any: Vec<&'static str>,
}

impl WideGrants {
    /// Reads the lines of a manifest, for a resource.
    pub fn read(lines: &[&str], context: &GrantContext) -> Result<WideGrants, GrantRequestError> {
        let mut wide = WideGrants { rules: Vec::new(), any: Vec::new() };
        for line in lines {
            let request = GrantRequest::parse(line)?;
            if request.names_any_server() {
                wide.any.push(request.0.capability.name);
                continue;
            }
            let text = request.without_keywords();
            let bound = GrantLine::parse(&text, 1, LineOrigin::Policy)
                .ok()
                .and_then(|line| line.bind(&Binder::new(context, &[], &AnyDeviceLedger, line.as_str())).ok());
            match bound {
                Some(rules) => wide.rules.extend(rules),
                None => wide.any.push(request.0.capability.name),
            }
        }
        Ok(wide)
    }

    /// The variable of a program's environment that no line which covers the program names, of these: the node gives one to a program of
    /// root only if the line of the policy names it, which is made of the line of the driver.
    pub fn missing_variable<'n>(
        &self,
        op: &dyn Operation,
        mut variables: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        let names = KnownNames::default();
        let about: Vec<&GrantRule> = self.rules.iter().filter(|rule| op.is_covered_by(rule, &names)).collect();
        let is_named = |rule: &&GrantRule, name: &str| {
            let env = &rule.attributes.env;
            env.contains(name) || env.contains(ANY_VARIABLE)
        };
        variables.find(|name| !about.is_empty() && !about.iter().any(|rule| is_named(rule, name)))
    }

    /// Whether a line that covers the program keeps this one of capabilities(7) for it.
    pub fn keeps(&self, op: &dyn Operation, capability: &str) -> bool {
        let names = KnownNames::default();
        let keeps =
            |rule: &GrantRule| rule.attributes.caps.contains(capability) || rule.attributes.caps.contains(ALL_CAPS);
        self.rules.iter().any(|rule| op.is_covered_by(rule, &names) && keeps(rule))
    }

    /// The line that is missing for an operation, with what it entails. None if the requests cover it.
    pub fn missing(&self, op: &dyn Operation) -> Option<String> {
        if !self.covers(op) {
            return Some(op.line());
        }
        op.side_effects().into_iter().find_map(|effect| match effect {
            SideEffect::Operation(effect) => (!self.covers(&*effect)).then(|| effect.line()),
            SideEffect::UnclearOption(_) | SideEffect::OptionOfRoot { .. } => None,
        })
    }

    fn covers(&self, op: &dyn Operation) -> bool {
        let line = op.line();
        let capability = line.split(['(', ' ']).next().unwrap_or_default();
        let names = KnownNames::default();
        !op.needs_grant()
            || self.any.contains(&capability)
            || self.rules.iter().any(|rule| op.is_covered_by(rule, &names))
    }
}

impl GrantRequest {
    /// Whether a keyword holds the beginning of an address: no star of a policy stands for each scheme and host that it may have.
    fn names_any_server(&self) -> bool {
        let words = halves(self.0.as_str()).1;
        self.0.capability.name == "http" && words.split_whitespace().nth(1).is_some_and(|url| url.starts_with('{'))
    }

    /// The line with stars for its keywords, also for those in its attributes. Of a program's arguments, only those before the first
    /// keyword count: a list stands for any number of them.
    fn without_keywords(&self) -> String {
        let (head, rest) = halves(self.0.as_str());
        let name = format!("{}{}", self.0.capability.name, wide_attributes(head));
        if !matches!(self.0.capability.name, "exec" | "spawn") {
            return format!("{name} = {}", policy_words(self.0.capability, rest).join(" "));
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        let plain = words.iter().take_while(|word| !word.contains(['{', '[', '*'])).count();
        match plain {
            0 => format!("{name} = /** **"),
            all if all == words.len() => format!("{name} = {}", words.join(" ")),
            some => format!("{name} = {} **", words[..some].join(" ")),
        }
    }
}

/// The attributes of a line, with stars for keywords. A directory that a keyword names may be any.
fn wide_attributes(head: &str) -> String {
    let Some((_, attributes)) = head.split_once('(') else { return String::new() };
    let attributes =
        attributes.trim_end().trim_end_matches(')').split(',').map(|one| match one.trim().split_once('=') {
            Some(("cwd", value)) if value.contains('{') => "cwd=/**".to_owned(),
            Some((name, value)) if value.contains('{') => format!("{name}=*"),
            _ => one.trim().to_owned(),
        });
    format!("({})", attributes.collect::<Vec<_>>().join(", "))
}
