//! `edit`: a copy in the user's editor, checked before it takes the place of the configuration. A copy with errors is kept
//! for `--recover`.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use agent::file::durable;
use agent::file::text::NotText;
use anyhow::{Context, anyhow};
use config::diagnostic::Diagnostic;

use crate::command::EditArgs;
use crate::config::target::ConfigFile;
use crate::exit::{self, Failure, Outcome};
use crate::render::diagnostic;
use crate::session::{Session, print_error};

pub(crate) fn run(session: &Session, file: &ConfigFile<'_>, args: &EditArgs) -> Outcome {
    let (name, draft) = (file.name(), file.draft());
    let kept = durable::read(&draft).map_err(anyhow::Error::from)?.is_some();
    if kept && !args.recover && !args.discard {
        let text = format!("{name}: an earlier edit was not saved: --recover continues it, --discard discards it");
        return Err(Failure::new(exit::FAILED, text));
    }
    if args.recover && !kept {
        return Err(Failure::new(exit::FAILED, format!("{name}: there is no unsaved edit")));
    }
    let old = file.text()?;
    if !args.recover {
        durable::write(&draft, old.as_bytes()).map_err(anyhow::Error::from)?;
    }
    let edited = open_editor(&draft);
    let new = read(&draft)?;
    if edited.is_err() && new == old {
        durable::remove(&draft).map_err(anyhow::Error::from)?;
    }
    edited?;
    if new == old {
        session.note(&format!("{name}: nothing changed"));
    } else {
        check(file, &new, &draft)?;
        take(file, &old, new)?;
    }
    durable::remove(&draft).map_err(anyhow::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

/// The editor is a command for the shell, as in git: it may have options.
fn open_editor(draft: &Path) -> Result<(), Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|editor| !editor.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".into());
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let arguments: [OsString; 4] = ["-c".into(), script, "om".into(), draft.into()];
    let status = Command::new("/bin/sh").args(arguments).status().context("cannot run the editor")?;
    match status.success() {
        true => Ok(()),
        false => {
            let text = format!("the editor {} failed: {status}: nothing was changed", editor.display());
            Err(Failure::new(exit::FAILED, text))
        }
    }
}

fn read(draft: &Path) -> Result<String, Failure> {
    let content = durable::read(draft).map_err(anyhow::Error::from)?;
    let content = content.ok_or_else(|| anyhow!("the editor removed {}", draft.display()))?;
    Ok(NotText::check(content).map_err(|odd| anyhow!(odd.sentence(draft.display())))?)
}

fn check(file: &ConfigFile<'_>, new: &str, draft: &Path) -> Result<(), Failure> {
    let diagnostics = file.diagnose(new);
    if !diagnostics.is_empty() {
        print_error(&diagnostic::report(&draft.display().to_string(), new, &diagnostics));
    }
    match diagnostics.iter().any(Diagnostic::is_error) {
        true => {
            let text = format!(
                "{}: not changed: edit --recover continues with this version, --discard discards it",
                file.name()
            );
            Err(Failure::new(exit::FAILED, text))
        }
        false => Ok(()),
    }
}

/// The draft takes the place of the text that it was made from, and of no other.
fn take(file: &ConfigFile<'_>, old: &str, new: String) -> Result<(), Failure> {
    file.replace(|now| match now == old {
        true => Ok(new),
        false => {
            let text = format!(
                "{}: someone else changed it meanwhile: edit --recover continues with this version and overwrites their change",
                file.name()
            );
            Err(Failure::new(exit::FAILED, text))
        }
    })
}
