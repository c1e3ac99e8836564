//! The environment of a program: what the host says, and what the resource's own keywords say.
//!
//! A grant names a program and its arguments. Variables such as LD_PRELOAD would make any program do anything, so a
//! driver cannot set a variable of its own invention: it hands on what the configuration holds, word for word.

use crate::{Error, Scope};

/// Where a program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How a program words its output. These run nothing.
const HARMLESS: [&str; 3] = ["LANG", "LC_ALL", "TZ"];
/// Only processes that belong to the resource carry it, see [`markers`].
const MARK: &str = "HOSTLER_MEMBER_OF";

/// The whole environment. A `member` carries the marks by which it is found again.
pub(crate) fn of(scope: &Scope, asked: &[(String, String)], member: bool) -> Result<Vec<(String, String)>, Error> {
    let mut environment = vec![("PATH".to_owned(), PATH.to_owned()), ("LANG".to_owned(), "C.UTF-8".to_owned())];
    for (name, value) in asked {
        check(scope, name, value)?;
        environment.retain(|(other, _)| other != name);
        environment.push((name.clone(), value.clone()));
    }
    environment.extend(told(scope));
    if member {
        environment.push((MARK.to_owned(), mark(scope)));
    }
    Ok(environment)
}

/// What every process of the resource carries.
pub(crate) fn markers(scope: &Scope) -> kernel::process::Markers {
    let call = scope.call();
    let (object, rid, mark) = (call.object.to_string(), call.rid.to_string(), mark(scope));
    kernel::process::Markers::new([("HOSTLER_ID", &*object), ("HOSTLER_RID", &*rid), (MARK, &*mark)])
}

/// Two agents on one machine have different directories, though their objects may have the same names.
fn mark(scope: &Scope) -> String {
    scope.paths().statedir.display().to_string()
}

/// What the host says, once under our name and once under the ancestor's.
fn told(scope: &Scope) -> Vec<(String, String)> {
    let call = scope.call();
    let facts = [
        ("ID", call.object.to_string()),
        ("NAME", call.object.name().to_owned()),
        ("NAMESPACE", call.object.namespace().to_owned()),
        ("KIND", call.object.kind().to_string()),
        ("RID", call.rid.to_string()),
        ("ACTION", scope.verb().to_string()),
        ("NODENAME", call.node.to_string()),
        ("SID", call.sid.clone()),
    ];
    let named =
        |prefix: &'static str| facts.clone().into_iter().map(move |(name, fact)| (format!("{prefix}_{name}"), fact));
    named("HOSTLER").chain(named("OPENSVC")).collect()
}

fn check(scope: &Scope, name: &str, value: &str) -> Result<(), Error> {
    let is_name = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Error::Invalid(format!("{name:?} is no name of an environment variable")));
    }
    if name.starts_with("HOSTLER_") || name.starts_with("OPENSVC_") {
        return Err(Error::Invalid(format!("the environment variable {name} is the host's to set")));
    }
    let written = format!("{name}={value}");
    let configured = scope.call().keywords.iter().any(|keyword| keyword.values.contains(&written));
    // Whoever asked for the action has the last word on it.
    let asked = scope.call().vars.iter().any(|(var, text)| var.strip_prefix("env.") == Some(name) && text == value);
    if configured || asked || HARMLESS.contains(&name) {
        return Ok(());
    }
    Err(Error::Denied(format!("the environment variable {name}: no keyword of the resource holds {name}=VALUE")))
}
