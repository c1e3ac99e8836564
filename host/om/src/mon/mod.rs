//! `om mon`: once, or again whenever something changes.

mod watch;

use std::process::ExitCode;

use protocol::daemon::StatusDocument;

use crate::command::MonArgs;
use crate::exit::{Failure, Outcome};
use crate::render::mon::{MonLine, MonSelection, MonView};
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{is_output_terminal, print, print_styled};
use crate::words::{ObjectQuery, Target};

/// Shows the objects that `target` names, or all.
pub(crate) fn run(session: &Session, target: Option<&Target>, args: &MonArgs) -> Outcome {
    let target = match (&args.selector, target) {
        (Some(text), _) => Some(Target::Selector(ObjectQuery::parse(text)?)),
        (None, Some(Target::Selector(query))) => Some(Target::Selector(query.clone())),
        (None, Some(other)) => return Err(Failure::failed(format!("{other}: om mon takes one selector"))),
        (None, None) => None,
    };
    if args.watch {
        return watch::run(session, target, args);
    }
    let daemon = session.daemon();
    let status: StatusDocument = daemon.ask(async |client| client.status().await)?;
    if let Some(text) = structured(args.output.format, &serde_json::to_value(&status).unwrap_or_default()) {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    }
    let usage = if args.stats { Some(daemon.ask(async |client| client.usage().await)?) } else { None };
    let width = is_output_terminal().then(|| crossterm::terminal::size().ok()).flatten();
    let view = MonView {
        usage,
        width: width.map(|(columns, _)| usize::from(columns)),
        selection: selection(session, target.as_ref())?,
        ..view(args)
    };
    print_styled(&text(&view.lines(&status)));
    Ok(ExitCode::SUCCESS)
}

fn view(args: &MonArgs) -> MonView {
    MonView { sections: args.sections.clone(), nodes: args.node.clone(), ..MonView::default() }
}

fn selection(session: &Session, target: Option<&Target>) -> Result<Option<MonSelection>, Failure> {
    let Some(target) = target else { return Ok(None) };
    let paths = session.select(target)?.into_iter().collect();
    Ok(Some(MonSelection { text: target.to_string(), paths }))
}

fn text(lines: &[MonLine]) -> String {
    lines.iter().map(|line| format!("{}\n", line.text)).collect()
}
