//! `config doc`: the keywords of a section, from the drivers' manifests and from the core's own tables. No driver is run.

use std::process::ExitCode;

use anyhow::anyhow;
use config::keyword;
use model::keyword::Keyword;
use model::{DriverName, Group};
use protocol::{DriverDoc, KeywordManual, SectionDoc};
use serde_json::Value;

use crate::command::DocArgs;
use crate::exit::{Failure, Outcome};
use crate::render::doc as render;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

/// The subject of a manual.
enum ManualSubject {
    /// Everything there is.
    Index,
    /// The drivers of a group.
    Group(Group),
    /// A driver's sections.
    Driver(Box<DriverDoc>),
    /// A section that is not a driver's, and its keywords.
    Section(&'static str, &'static [Keyword]),
}

pub(crate) fn run(session: &Session, args: &DocArgs) -> Outcome {
    let subject = find(session, args.about.as_deref())?;
    let (text, value) = match &args.keyword {
        Some(name) => keyword(&subject, name)?,
        None => whole(session, &subject)?,
    };
    print(&structured(args.output.format, &value).unwrap_or(text));
    Ok(ExitCode::SUCCESS)
}

fn find(session: &Session, about: Option<&str>) -> Result<ManualSubject, Failure> {
    Ok(match about {
        None => ManualSubject::Index,
        Some("DEFAULT") => ManualSubject::Section("DEFAULT", keyword::default()),
        Some("subset") => ManualSubject::Section("subset", keyword::subset()),
        Some("vol") => ManualSubject::Section("DEFAULT of a vol", keyword::volume()),
        Some("pool") => ManualSubject::Section("pool#<name>", keyword::pool()),
        Some("node") => ManualSubject::Section("node", keyword::node()),
        Some("compliance") => ManualSubject::Section("compliance", keyword::compliance()),
        Some("stats") => ManualSubject::Section("stats", keyword::stats()),
        Some("driver") => ManualSubject::Section("driver#<group>.<name>", keyword::driver()),
        Some("resource") => ManualSubject::Section("resource", keyword::resource()),
        Some(word) => match (word.parse::<Group>(), word.parse::<DriverName>()) {
            // A group is also the first half of a driver name, but never a whole one.
            (Ok(group), _) => ManualSubject::Group(group),
            (_, Ok(name)) => match session.backend.driver_manual(&name)? {
                Some(manual) => ManualSubject::Driver(Box::new(manual)),
                None => return Err(unknown(session, word, name.group())?),
            },
            _ => {
                return Err(anyhow!(
                    "{word:?} is not documented: expected DEFAULT, subset, vol, pool, node, compliance, stats, driver, \
                     resource, a group such as fs, or a driver such as fs.ext4"
                )
                .into());
            }
        },
    })
}

fn unknown(session: &Session, word: &str, group: Group) -> Result<Failure, Failure> {
    let manuals = of_group(session, Some(group))?;
    // Without the group, as the keyword `type` of a section takes it.
    let name = |driver: &str| driver.split_once('.').map_or(driver, |(_, name)| name).to_owned();
    let names = manuals.iter().map(|manual| name(&manual.driver.driver));
    let mut aliases: Vec<String> = manuals.iter().flat_map(|manual| manual.driver.aliases.clone()).collect();
    aliases.sort();
    let names = names.chain(aliases).collect::<Vec<_>>().join(", ");
    let known =
        if names.is_empty() { "there is no driver of that group".to_owned() } else { format!("there are {names}") };
    Ok(anyhow!("there is no driver {word}: in group {group}, {known}").into())
}

fn of_group(session: &Session, group: Option<Group>) -> Result<Vec<DriverDoc>, Failure> {
    let mut manuals = session.backend.driver_manuals()?;
    let is_of = |manual: &DriverDoc, group: Group| {
        manual.driver.driver.parse::<DriverName>().is_ok_and(|name| name.group() == group)
    };
    manuals.retain(|manual| group.is_none_or(|group| is_of(manual, group)));
    Ok(manuals)
}

fn whole(session: &Session, subject: &ManualSubject) -> Result<(String, Value), Failure> {
    let summaries = |manuals: &[DriverDoc]| manuals.iter().map(|manual| json(&manual.driver)).collect();
    Ok(match subject {
        ManualSubject::Index => {
            let manuals = of_group(session, None)?;
            (render::index(&manuals), summaries(&manuals))
        }
        ManualSubject::Group(group) => {
            let manuals = of_group(session, Some(*group))?;
            (render::group(*group, &manuals), summaries(&manuals))
        }
        ManualSubject::Driver(manual) => (render::driver(manual), json(manual)),
        ManualSubject::Section(name, keywords) => {
            let keywords = manuals(keywords);
            (render::section(name, &keywords), json(&SectionDoc { section: (*name).to_owned(), keywords }))
        }
    })
}

/// One keyword, by its name or an old one.
fn keyword(subject: &ManualSubject, name: &str) -> Result<(String, Value), Failure> {
    let (of, keywords) = match subject {
        // `om config doc --kw nodes` names no section. DEFAULT is the one that every object has.
        ManualSubject::Index => ("DEFAULT".to_owned(), manuals(keyword::default())),
        // The drivers of a group may have little in common: only the keywords of every resource are certain.
        ManualSubject::Group(group) => (group.to_string(), manuals(keyword::resource())),
        ManualSubject::Driver(manual) => {
            // A keyword of every resource may be asked for by way of any driver.
            let own = manual.keywords.iter().cloned();
            (manual.driver.driver.clone(), own.chain(manuals(keyword::resource())).collect())
        }
        ManualSubject::Section(name, keywords) => ((*name).to_owned(), manuals(keywords)),
    };
    let named = |manual: &&KeywordManual| manual.keyword == name || manual.aliases.iter().any(|alias| alias == name);
    let found = keywords.iter().find(named).ok_or_else(|| anyhow!("{of} has no keyword {name}"))?;
    Ok((render::keyword(found), json(found)))
}

fn manuals(keywords: &[Keyword]) -> Vec<KeywordManual> {
    keywords.iter().map(KeywordManual::from).collect()
}

fn json(document: &impl serde::Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}
