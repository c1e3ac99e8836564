//! `add`, `change`, `remove`, `rename`, `keys`, `decode`: the keys of the stores, objects of the kinds `sec` and `cfg`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use agent::DataStores;
use agent::datastore::{DataStoreError, Put};
use agent::object::ObjectError;
use anyhow::Context;
use serde_json::json;

use crate::command::{DecodeArgs, KeysArgs, PutArgs, RemoveArgs, RenameArgs};
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::render::structured::{one_or_all, structured};
use crate::session::{Session, print, written};
use crate::words::Target;

pub(crate) fn put(session: &Session, target: &Target, args: &PutArgs, how: Put) -> Outcome {
    let store = target.path()?;
    let value = match (&args.value.value, &args.value.from) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => read(file).with_context(|| format!("cannot read {}", file.display()))?,
        (None, None) => Vec::new(),
    };
    DataStores::of(session.agent.home()).put(&store, &args.key, &value, how)?;
    Ok(ExitCode::SUCCESS)
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
    DataStores::of(session.agent.home()).remove(&target.path()?, &args.keys)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn rename(session: &Session, target: &Target, args: &RenameArgs) -> Outcome {
    DataStores::of(session.agent.home()).rename(&target.path()?, &args.key, &args.to)?;
    Ok(ExitCode::SUCCESS)
}

/// The value, byte for byte: what looks like a colour is none.
pub(crate) fn decode(session: &Session, target: &Target, args: &DecodeArgs) -> Outcome {
    let value = DataStores::of(session.agent.home()).value(&target.path()?, &args.key)?;
    let mut stdout = std::io::stdout();
    written(stdout.write_all(&value).and_then(|()| stdout.flush()));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn list(session: &Session, target: &Target, args: &KeysArgs) -> Outcome {
    let paths = session.select_some(target)?;
    let mut found = Vec::new();
    let code = each(&paths, |path| {
        let keys = DataStores::of(session.agent.home()).keys(path)?;
        found.push((path.to_string(), keys));
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

impl From<DataStoreError> for Failure {
    fn from(error: DataStoreError) -> Failure {
        match error {
            DataStoreError::Object(ObjectError::Missing(store)) => {
                Failure::new(exit::NO_MATCH, format!("{store} does not exist: om {store} create makes it"))
            }
            DataStoreError::NoStore(_) => Failure { code: exit::NOT_SUPPORTED, error: error.into() },
            other => anyhow::Error::from(other).into(),
        }
    }
}
