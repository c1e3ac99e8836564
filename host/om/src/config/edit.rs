//! `edit`: a copy in the user's editor, checked before it takes the place of the configuration. A copy with errors is kept
//! for `--recover`.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};

use super::target::ConfigFile;
use super::text::read_text;
use crate::command::EditArgs;
use crate::exit::{Failure, Outcome};
use crate::render::diagnostic;
use crate::session::Session;
use crate::terminal::print_error;

pub(crate) fn run(session: &Session, file: &ConfigFile<'_>, args: &EditArgs) -> Outcome {
    let (name, draft) = (file.name(), session.backend.draft(&file.target));
    // An unsaved edit is neither overwritten nor continued unless the operator says which.
    let kept = draft.exists();
    if kept && !args.recover && !args.discard {
        let text = format!("{name}: an earlier edit was not saved: --recover continues it, --discard discards it");
        return Err(Failure::failed(text));
    }
    if args.recover && !kept {
        return Err(Failure::failed(format!("{name}: there is no unsaved edit")));
    }
    // With --recover too this is the present text, so what others changed since the draft began is overwritten.
    let old = file.text()?;
    if !args.recover {
        write(&draft, &old)?;
    }
    // Its failure is reported further down: an editor that failed may have saved something first.
    let edited = open_editor(&draft);
    let new = read_text(&draft)?.ok_or_else(|| anyhow!("the editor removed {}", draft.display()))?;
    // The editor failed before it saved anything: there is nothing to recover.
    if edited.is_err() && new == old {
        remove(&draft)?;
    }
    edited?;
    if new == old {
        session.note(&format!("{name}: nothing changed"));
    } else {
        check(file, &new, &draft)?;
        save(session, file, &old, &new)?;
    }
    // Only now: until the text is saved, the draft is the only copy of the changes.
    remove(&draft)?;
    Ok(ExitCode::SUCCESS)
}

/// The editor is a command for the shell, as in git: it may have options.
fn open_editor(draft: &Path) -> Result<(), Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|editor| !editor.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".into());
    let mut script = editor.clone();
    // The path is an argument of the script and not a part of it, so the shell does not interpret its characters.
    script.push(" \"$1\"");
    let arguments: [OsString; 4] = ["-c".into(), script, "om".into(), draft.into()];
    let status = Command::new("/bin/sh").args(arguments).status().context("cannot run the editor")?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::failed(format!("the editor {} failed: {status}: nothing was changed", editor.display()))),
    }
}

fn write(draft: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let create = || {
        draft.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        // A configuration may hold secrets.
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    create().with_context(|| format!("cannot write {}", draft.display()))
}

fn remove(draft: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", draft.display()))
        }
        _ => Ok(()),
    }
}

fn check(file: &ConfigFile<'_>, new: &str, draft: &Path) -> Result<(), Failure> {
    let check = file.check(draft.display().to_string(), new.to_owned())?;
    if !check.problems.is_empty() {
        print_error(&diagnostic::report(&check));
    }
    // Warnings were shown, but only errors keep the text from being saved.
    match check.errors() {
        0 => Ok(()),
        _ => Err(Failure::failed(format!(
            "{}: not changed: edit --recover continues with this version, --discard discards it",
            file.name()
        ))),
    }
}

/// Saves the draft over the text that it was made from, and over no other.
fn save(session: &Session, file: &ConfigFile<'_>, old: &str, new: &str) -> Result<(), Failure> {
    let saved = session.backend.save_config(&file.target, Some(old), new);
    // The agent only knows that the text is another one. The operator needs to know what to do about it.
    let notes = saved.map_err(|failure| match file.text() {
        Ok(now) if now != old => Failure::failed(format!(
            "{}: another process changed it meanwhile: edit --recover continues with this version and overwrites that change",
            file.name()
        )),
        _ => failure,
    })?;
    notes.iter().for_each(|note| session.note(note));
    Ok(())
}
