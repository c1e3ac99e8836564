//! `config history`, `config diff` and `config rollback`: the versions of a configuration.

use std::process::ExitCode;

use protocol::{ConfigHistory, ConfigRevision, KeywordChange};
use serde_json::{Value, json};

use super::target::ConfigFile;
use crate::command::{DiffArgs, HistoryArgs, RollbackArgs};
use crate::each::each;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::{one_or_all, structured};
use crate::render::table::table;
use crate::terminal::{print, warn};

const HEAD: [&str; 6] = ["REVISION", "AT", "BY", "DIGEST", "CHANGED", "COMMAND"];

/// So many characters of a digest tell two versions apart.
const DIGEST: usize = 12;

/// So many keywords of a version are shown in the table.
const KEYWORDS: usize = 3;

pub(super) fn list(files: &[ConfigFile<'_>], args: &HistoryArgs) -> Outcome {
    let mut found: Vec<(String, ConfigHistory)> = Vec::new();
    let code = each(files, |file| {
        let mut history = file.session.backend.config_history(&file.target)?;
        let surplus = args.limit.map_or(0, |limit| history.revisions.len().saturating_sub(limit));
        history.revisions.drain(..surplus);
        found.push((file.name(), history));
        Ok(())
    });
    let values: Vec<Value> = found.iter().map(|(name, history)| document(name, history)).collect();
    match structured(args.output.format, &one_or_all(files.len(), values)) {
        Some(text) => print(&text),
        None => found.iter().for_each(|(name, history)| show(name, history, files.len() > 1)),
    }
    Ok(code.into())
}

fn document(name: &str, history: &ConfigHistory) -> Value {
    json!({"path": name, "file": history.file, "damaged": history.damaged, "revisions": history.revisions})
}

fn show(name: &str, history: &ConfigHistory, is_one_of_many: bool) {
    if is_one_of_many {
        print(&format!("# {name}\n"));
    }
    let rows: Vec<Vec<String>> = history.revisions.iter().map(row).collect();
    print(&table(&HEAD, &rows));
    if history.damaged > 0 {
        let lost = if history.damaged == 1 { "1 version".to_owned() } else { format!("{} versions", history.damaged) };
        warn(&format!("{name}: {lost} cannot be read: {} is damaged", history.file));
    }
}

fn row(revision: &ConfigRevision) -> Vec<String> {
    let by = match (&revision.user, &revision.login) {
        (Some(user), Some(login)) => format!("{user} ({login})"),
        (Some(user), None) => user.clone(),
        (None, _) => "-".to_owned(),
    };
    let command = match revision.command.as_deref() {
        Some("") => "-".to_owned(),
        Some(command) => command.to_owned(),
        None => "(found changed)".to_owned(),
    };
    let digest = revision.digest.chars().take(DIGEST).collect();
    vec![revision.revision.to_string(), moment::date(revision.at), by, digest, keywords(&revision.changed), command]
}

fn keywords(changed: &[String]) -> String {
    let shown = changed.iter().take(KEYWORDS).map(String::as_str).collect::<Vec<_>>().join(" ");
    match changed.len().saturating_sub(KEYWORDS) {
        _ if changed.is_empty() => "-".to_owned(),
        0 => shown,
        more => format!("{shown} +{more}"),
    }
}

pub(super) fn diff(file: &ConfigFile<'_>, args: &DiffArgs) -> Outcome {
    // A missing object is reported as such, and not as one without versions.
    file.text()?;
    let found = file.session.backend.config_diff(&file.target, (args.from, args.to))?;
    let value = serde_json::to_value(&found).unwrap_or_default();
    if let Some(text) = structured(args.output.format, &value) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    match args.keywords {
        true => found.keywords.iter().for_each(|change| print(&changed(change))),
        false if found.unified.is_empty() => {}
        false => {
            let name = file.name();
            print(&format!("--- {name} {}\n+++ {name} {}\n", found.from, found.to));
            found.unified.iter().for_each(|line| print(&format!("{line}\n")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `fs#1.mnt_opt: noatime -> ro`. A value of several lines stays on one.
fn changed(change: &KeywordChange) -> String {
    let shown = |value: &Option<String>| match value {
        Some(value) => value.replace('\n', "\\n"),
        None => "(not set)".to_owned(),
    };
    format!("{}: {} -> {}\n", change.keyword, shown(&change.before), shown(&change.after))
}

pub(super) fn rollback(file: &ConfigFile<'_>, args: &RollbackArgs) -> Outcome {
    file.text()?;
    file.report(file.session.backend.roll_config_back(&file.target, args.revision, args.force)?)?;
    Ok(ExitCode::SUCCESS)
}
