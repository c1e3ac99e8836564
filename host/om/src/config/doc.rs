//! `config doc`: what a section may say, from the drivers' manifests and the core's own keywords. No driver is run for it.

use std::process::ExitCode;

use agent::drivers::{AvailableDriver, AvailableDrivers};
use anyhow::anyhow;
use config::Schemas;
use config::keyword;
use model::keyword::{Inherit, Keyword};
use model::{DriverName, Group};
use serde_json::{Value, json};

use crate::command::DocArgs;
use crate::exit::{Failure, Outcome};
use crate::render::doc as render;
use crate::render::structured::structured;
use crate::session::{Session, print};

/// What the documentation is about.
enum About<'a> {
    /// Everything there is.
    Index,
    /// The drivers of a group.
    Group(Group),
    /// A driver's sections.
    Driver(&'a AvailableDriver),
    /// A section that is none of a driver, and its keywords.
    Section(&'static str, &'static [Keyword]),
}

pub(crate) fn run(session: &Session, args: &DocArgs) -> Outcome {
    let drivers = session.agent.drivers();
    let about = find(&drivers, args.about.as_deref())?;
    let (text, value) = match &args.keyword {
        Some(name) => keyword(&about, name)?,
        None => whole(&drivers, &about),
    };
    print(&structured(args.output.format, &value).unwrap_or(text));
    Ok(ExitCode::SUCCESS)
}

fn find<'d>(drivers: &'d AvailableDrivers, about: Option<&str>) -> Result<About<'d>, Failure> {
    Ok(match about {
        None => About::Index,
        Some("DEFAULT") => About::Section("DEFAULT", keyword::default()),
        Some("subset") => About::Section("subset", keyword::subset()),
        Some("node") => About::Section("node", keyword::node()),
        Some("compliance") => About::Section("compliance", keyword::compliance()),
        Some("stats") => About::Section("stats", keyword::stats()),
        Some("driver") => About::Section("driver#<group>.<name>", keyword::driver()),
        Some("resource") => About::Section("resource", keyword::resource()),
        Some(word) => match (word.parse::<Group>(), word.parse::<DriverName>()) {
            (Ok(group), _) => About::Group(group),
            (_, Ok(name)) => About::Driver(drivers.get(&name).ok_or_else(|| unknown(drivers, word, name.group()))?),
            _ => {
                return Err(anyhow!(
                    "{word:?} is not documented: expected DEFAULT, subset, node, compliance, stats, driver, resource, a group \
                     such as fs, or a driver such as fs.ext4"
                )
                .into());
            }
        },
    })
}

fn unknown(drivers: &AvailableDrivers, word: &str, group: Group) -> Failure {
    let names = drivers.names(group).join(", ");
    let known =
        if names.is_empty() { "there is no driver of that group".to_owned() } else { format!("there are {names}") };
    anyhow!("there is no driver {word}: in group {group}, {known}").into()
}

fn whole(drivers: &AvailableDrivers, about: &About<'_>) -> (String, Value) {
    let of = |group: Option<Group>| -> Vec<&AvailableDriver> {
        drivers.iter().filter(|known| group.is_none_or(|group| known.manifest.name.group() == group)).collect()
    };
    match about {
        About::Index => (render::index(&of(None)), drivers_value(&of(None))),
        About::Group(group) => (render::group(*group, &of(Some(*group))), drivers_value(&of(Some(*group)))),
        About::Driver(known) => {
            let mut value = driver_value(known);
            value["keywords"] = keywords_value(&known.manifest.keywords);
            (render::driver(&known.manifest), value)
        }
        About::Section(name, keywords) => {
            (render::section(name, keywords), json!({"section": name, "keywords": keywords_value(keywords)}))
        }
    }
}

/// One keyword, by its name or an old one.
fn keyword(about: &About<'_>, name: &str) -> Result<(String, Value), Failure> {
    let (of, keywords): (String, Vec<&Keyword>) = match about {
        About::Index => ("DEFAULT".to_owned(), keyword::default().iter().collect()),
        About::Group(group) => (group.to_string(), keyword::resource().iter().collect()),
        About::Driver(known) => {
            let own = known.manifest.keywords.iter();
            (known.manifest.name.to_string(), own.chain(keyword::resource()).collect())
        }
        About::Section(name, keywords) => ((*name).to_owned(), keywords.iter().collect()),
    };
    let named = |keyword: &&&Keyword| keyword.name == name || keyword.aliases.iter().any(|alias| alias == name);
    let found = keywords.iter().find(named).ok_or_else(|| anyhow!("{of} has no keyword {name}"))?;
    Ok((render::keyword(found), keyword_value(found)))
}

fn drivers_value(drivers: &[&AvailableDriver]) -> Value {
    drivers.iter().map(|known| driver_value(known)).collect()
}

fn driver_value(known: &AvailableDriver) -> Value {
    let manifest = &known.manifest;
    json!({
        "driver": manifest.name.to_string(),
        "aliases": manifest.aliases,
        "version": manifest.version,
        "summary": manifest.summary,
        "description": manifest.description,
    })
}

fn keywords_value(keywords: &[Keyword]) -> Value {
    keywords.iter().map(keyword_value).collect()
}

fn keyword_value(keyword: &Keyword) -> Value {
    json!({
        "keyword": keyword.name,
        "aliases": keyword.aliases,
        "kind": render::kind(keyword.kind),
        "default": keyword.default,
        "required": keyword.required,
        "scopable": keyword.scopable,
        "inherit": keyword.inherit == Inherit::Default,
        "provisioning": keyword.provisioning,
        "secret": keyword.secret,
        "store": keyword.store.map(model::Kind::as_str),
        "candidates": keyword.candidates,
        "help": keyword.help,
        "example": keyword.example,
    })
}
