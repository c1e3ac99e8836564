//! `om cluster backup`, `om cluster restore`.

use std::path::Path;
use std::process::ExitCode;

use model::ObjectPath;

use crate::backend::LocalCluster;
use crate::command::RestoreArgs;
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::terminal::print;

pub(super) fn back_up(session: &Session, cluster: &LocalCluster, file: Option<&Path>) -> Outcome {
    let (file, entries) = cluster.back_up(file)?;
    session.note(&format!("backup of {entries} entries: {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(session: &Session, cluster: &LocalCluster, args: &RestoreArgs) -> Outcome {
    let parse = |text: &String| {
        let wrong = |error| Failure::failed(format!("{text:?} is not the path of an object: {error}"));
        text.parse::<ObjectPath>().map_err(wrong)
    };
    let objects = args.object.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let changed = cluster.restore(&args.file, &objects, args.dry_run)?;
    changed.iter().for_each(|path| print(&format!("{path}\n")));
    session.note(match (changed.is_empty(), args.dry_run) {
        (true, _) => "nothing differs from the backup",
        (false, true) => "these would be brought back",
        (false, false) => "these were brought back",
    });
    Ok(ExitCode::SUCCESS)
}
