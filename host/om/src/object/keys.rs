//! `add`, `change`, `remove`, `rename`, `keys`, `decode`: the keys of the stores, objects of the kinds `sec` and `cfg`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use model::ObjectPath;
use protocol::KeyChange;
use serde_json::json;

use crate::command::{DecodeArgs, KeysArgs, PutArgs, RemoveArgs, RenameArgs};
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::{is_output_terminal, keep_error, print};
use crate::words::Target;

pub(crate) fn add(session: &Session, target: &Target, args: &PutArgs) -> Outcome {
    put(session, target, args, |key, value| KeyChange::Add { key, value })
}

pub(crate) fn change(session: &Session, target: &Target, args: &PutArgs) -> Outcome {
    put(session, target, args, |key, value| KeyChange::Change { key, value })
}

fn put(session: &Session, target: &Target, args: &PutArgs, change: fn(String, Vec<u8>) -> KeyChange) -> Outcome {
    let store = target.path()?;
    let value = match (&args.value.value, &args.value.from) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => read(file).with_context(|| format!("cannot read {}", file.display()))?,
        // clap requires one of the two.
        (None, None) => Vec::new(),
    };
    changed(session, &store, &change(args.key.clone(), value))
}

/// Changes the store, and says where its keys were installed anew. That a volume does not take them fails the command, as the service
/// goes on with the old ones.
fn changed(session: &Session, store: &ObjectPath, change: &KeyChange) -> Outcome {
    let mut failed = Vec::new();
    for installed in session.backend.change_key(store, change)? {
        match installed {
            Ok(note) => session.note(&note),
            Err(error) => failed.push(error),
        }
    }
    match failed.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(Failure::failed(format!("{store} is changed, and not installed: {}", failed.join("; ")))),
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut value = Vec::new();
    std::io::stdin().read_to_end(&mut value)?;
    Ok(value)
}

pub(crate) fn remove(session: &Session, target: &Target, args: &RemoveArgs) -> Outcome {
    changed(session, &target.path()?, &KeyChange::Remove { keys: args.keys.clone() })
}

pub(crate) fn rename(session: &Session, target: &Target, args: &RenameArgs) -> Outcome {
    let change = KeyChange::Rename { key: args.key.clone(), to: args.to.clone() };
    changed(session, &target.path()?, &change)
}

pub(crate) fn decode(session: &Session, target: &Target, args: &DecodeArgs) -> Outcome {
    let value = session.backend.key_value(&target.path()?, &args.key)?;
    // A terminal obeys what it is sent, and users of a namespace write keys.
    if is_output_terminal() {
        print(&String::from_utf8_lossy(&value));
        return Ok(ExitCode::SUCCESS);
    }
    // Not by `print`, which would remove bytes that look like colours. No newline is added either: a key may hold a
    // file.
    let mut stdout = std::io::stdout();
    keep_error(stdout.write_all(&value).and_then(|()| stdout.flush()));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn list(session: &Session, target: &Target, args: &KeysArgs) -> Outcome {
    let paths = session.select_some(target)?;
    let mut found = Vec::new();
    let code = each(&paths, |path| -> Result<(), Failure> {
        found.push((path.to_string(), session.backend.keys(path)?));
        Ok(())
    });
    let values = found.iter().map(|(path, keys)| json!({"path": path, "keys": keys})).collect();
    print(&structured(args.output.format, &one_or_all(paths.len(), values)).unwrap_or_else(|| {
        let prefix = |path: &str| if paths.len() > 1 { format!("{path}: ") } else { String::new() };
        let lines =
            found.iter().flat_map(|(path, keys)| keys.iter().map(move |key| format!("{}{key}\n", prefix(path))));
        lines.collect()
    }));
    Ok(code.into())
}
