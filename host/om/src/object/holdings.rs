//! `print holdings`: what resources hold on this node, by the host's own record.

use std::process::ExitCode;

use model::ObjectPath;
use protocol::{HoldingDocument, HoldingList};

use crate::command::OutputArgs;
use crate::exit::{Failure, Outcome};
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::{print, warn};
use crate::words::Target;

/// Of the objects that the target names.
pub(crate) fn run(session: &Session, target: &Target, output: &OutputArgs) -> Outcome {
    let paths = session.select_some(target)?;
    show(session, Some(&paths), output, |_| true)
}

/// Of the whole node, or only what no configuration accounts for any more.
pub(crate) fn of_node(session: &Session, orphans: bool, output: &OutputArgs) -> Outcome {
    show(session, None, output, |holding| holding.orphan || !orphans)
}

fn show(
    session: &Session,
    paths: Option<&[ObjectPath]>,
    output: &OutputArgs,
    wanted: impl Fn(&HoldingDocument) -> bool,
) -> Result<ExitCode, Failure> {
    let HoldingList { holdings, unverified } = session.backend.holdings(paths)?;
    for record in &unverified {
        warn(&format!("{}: {}: {}: more may be held than is listed", record.object, record.file, record.reason));
    }
    let list = HoldingList { holdings: holdings.into_iter().filter(wanted).collect(), unverified };
    let text = structured(output.format, &serde_json::to_value(&list).unwrap_or_default());
    print(&text.unwrap_or_else(|| rows(&list.holdings)));
    Ok(ExitCode::SUCCESS)
}

fn rows(holdings: &[HoldingDocument]) -> String {
    let row = |holding: &HoldingDocument| {
        let orphan = if holding.orphan { ", orphan" } else { "" };
        vec![
            holding.object.to_string(),
            holding.rid.clone(),
            holding.kind.clone(),
            format!("{}{orphan}", holding.state),
            holding.label.clone(),
        ]
    };
    table(&["OBJECT", "RID", "KIND", "STATE", "HOLDING"], &holdings.iter().map(row).collect::<Vec<_>>())
}
