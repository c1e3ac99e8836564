//! `om driver inspect`: what a driver is and asks for, or with `--effective` what it may do for one resource.

use anyhow::{Context, anyhow};
use model::{ObjectPath, Rid};
use protocol::{DriverGrants, DriverInspection, GrantLimits, GrantVerdict, InspectedKeyword};

use super::sentences;
use crate::command::OutputFormat;
use crate::exit::Failure;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

pub(crate) fn run(
    session: &Session,
    driver: &str,
    effective: Option<&[String]>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let inspection = session.backend.inspect_driver(driver)?;
    let (value, text) = match effective {
        // clap accepts --effective only with exactly these two words.
        Some([path, rid]) => {
            let grants = grants(session, &inspection, path, rid)?;
            (serde_json::to_value(&grants), grants_text(&inspection, &grants))
        }
        _ => (serde_json::to_value(&inspection), text(&inspection)),
    };
    print(&structured(format, &value.unwrap_or_default()).unwrap_or(text));
    match inspection.malformed.is_empty() {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "{} has mistakes in its manifest, and can be allowed nothing",
            inspection.name
        ))),
    }
}

fn grants(session: &Session, inspection: &DriverInspection, path: &str, rid: &str) -> Result<DriverGrants, Failure> {
    let path: ObjectPath = path.parse().with_context(|| format!("{path:?} is not the path of an object"))?;
    let rid: Rid = rid.parse().with_context(|| format!("{rid:?} is not the id of a resource"))?;
    let mut grants = session.backend.driver_grants(&path, &rid)?;
    let name = &inspection.name;
    // An operator who asks about another driver than the resource's has mistaken the resource.
    if grants.driver != *name {
        return Err(anyhow!("{path} {rid} is driven by {}, not by {name}", grants.driver).into());
    }
    // The file of a component is another build than the installed one.
    grants.digest.clone_from(&inspection.digest);
    Ok(grants)
}

/// `disk.loop 0.1.0  built in  sha256:…`
fn title(inspection: &DriverInspection) -> String {
    let DriverInspection { name, version, origin, digest, .. } = inspection;
    format!("{name} {version}  {origin}  {digest}")
}

fn text(inspection: &DriverInspection) -> String {
    let mut text = format!("{}\n  {}\n", title(inspection), inspection.summary);
    if !inspection.aliases.is_empty() {
        text += &format!("also called: {}\n", inspection.aliases.join(", "));
    }
    text += &format!("actions: {}\n", inspection.verbs.join(", "));
    if inspection.persistent {
        text += "what it starts is still there after a reboot\n";
    }
    text += &keywords(inspection);
    let asks = !inspection.grants.is_empty() || !inspection.malformed.is_empty();
    text += if asks { "asks to:\n" } else { "asks for nothing\n" };
    text + &sentences::text(&inspection.grants, &inspection.malformed) + &policy(inspection)
}

/// The lines of the site's policy file for the driver.
fn policy(inspection: &DriverInspection) -> String {
    let site = &inspection.site;
    if let Some(reason) = &site.error {
        return format!("no resource of this driver can act, because the site's file is broken: {reason}\n");
    }
    if !site.lines.is_empty() {
        let lines: String = site.lines.iter().map(|line| format!("  {line}\n")).collect();
        return format!("the site says ({}):\n{lines}", site.file.display());
    }
    match inspection.origin == "built in" {
        true => "the site says nothing: it may do what it asks for\n".to_owned(),
        false => "the site says nothing: it may do nothing until om driver allow\n".to_owned(),
    }
}

fn keywords(inspection: &DriverInspection) -> String {
    if inspection.keywords.is_empty() {
        return "keywords: none of its own\n".to_owned();
    }
    let width = inspection.keywords.iter().map(|keyword| keyword.name.len()).max().unwrap_or(0);
    let mut text = format!("keywords (om config doc {}):\n", inspection.name);
    for keyword in &inspection.keywords {
        let line = format!("  {:<width$}   {:<10} {}", keyword.name, keyword.kind.as_str(), nature(keyword));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// `required, secret`, or `default 1g`.
fn nature(keyword: &InspectedKeyword) -> String {
    let words = [
        keyword.required.then(|| "required".to_owned()),
        keyword.default.as_ref().map(|value| format!("default {value}")),
        keyword.secret.then(|| "secret".to_owned()),
        keyword.store.as_ref().map(|kind| format!("keys of {kind} stores")),
        keyword.provisioning.then(|| "for provision".to_owned()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn grants_text(inspection: &DriverInspection, grants: &DriverGrants) -> String {
    let mut text = format!("{}  for {} {}\n", title(inspection), grants.object, grants.rid);
    grants.grants.iter().for_each(|grant| text += &grant_text(grant));
    if let Some(guarded) = &grants.guarded {
        match &guarded.reason {
            None => {
                text += "  the guard of the engine's socket lets it have containers:\n";
                guarded.lets_through.iter().for_each(|sentence| text += &format!("          {sentence}\n"));
            }
            Some(reason) => {
                text += &format!("  the guard of the engine's socket lets nothing through: {reason}\n");
            }
        }
    }
    // These capabilities need no grant, so no grant above names them.
    text += "  may   log, keep 64 KiB of state\n  may not do anything else\n";
    if let Some(unresolved) = &grants.unresolved {
        text += &format!("not shown: grants that need a keyword without a value now: {unresolved}\n");
    }
    if !grants.keywords.is_empty() {
        text += "by the keywords:\n";
        grants.keywords.iter().for_each(|keyword| text += &format!("  {keyword}\n"));
    }
    text + &format!("enforced here by: {}\n", grants.enforced_by.join(", "))
}

fn grant_text(grant: &GrantVerdict) -> String {
    // Not the object of the sentence itself, which may contain the value of a secret keyword.
    let what = format!("{:<26} {}{}", grant.sentence.verb, grant.masked, sentences::root(&grant.sentence));
    match &grant.by {
        GrantLimits::Nothing => format!("  may   {what}\n"),
        GrantLimits::Lines(lines) => {
            let but: String = lines.iter().map(|line| format!("          {line}\n")).collect();
            format!("  may   {what}, as far as policies say:\n{but}")
        }
        GrantLimits::Refuser(by) => format!("  asks  {what}\n        refused: {by}\n"),
    }
}
