//! `print schedule`: what the schedules start, with the last and the next run.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::{ScheduleDocument, ScheduledAction};

use crate::command::OutputArgs;
use crate::each::each;
use crate::exit::Outcome;
use crate::render::structured::{one_or_all, structured};
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;
use crate::words::Target;

const HEAD: [&str; 6] = ["OBJECT", "ACTION", "KEY", "LAST_RUN_AT", "NEXT_RUN_AT", "SCHEDULE"];

pub(crate) fn run(session: &Session, target: &Target, output: &OutputArgs) -> Outcome {
    let mut documents = Vec::new();
    let paths = session.select_some(target)?;
    let code = each(&paths, |path| {
        documents.push(session.backend.timetable(path)?);
        Ok(())
    });
    let values = documents.iter().map(|document| serde_json::to_value(document).unwrap_or_default()).collect();
    match structured(output.format, &one_or_all(paths.len(), values)) {
        Some(text) => print(&text),
        None => {
            let rows: Vec<Vec<String>> = documents.iter().flat_map(rows).collect();
            if rows.is_empty() {
                return Ok(code.into());
            }
            print(&table(&HEAD, &rows));
            documents.iter().filter_map(snoozed).for_each(|line| session.note(&line));
            if session.running_daemon()?.is_none() {
                session.note("no daemon is running: nothing starts at these times by itself");
            }
        }
    }
    Ok(code.into())
}

/// That nothing of it is started for a while.
fn snoozed(document: &ScheduleDocument) -> Option<String> {
    let until = Timestamp::from_second(document.snoozed_until?).ok()?;
    let zone = TimeZone::get(&document.timezone).unwrap_or_else(|_| TimeZone::system());
    let end = zone.to_datetime(until).strftime("%F %T").to_string();
    Some(format!("{}: snoozed until {end}: no task or copy starts before", document.path))
}

fn rows(document: &ScheduleDocument) -> Vec<Vec<String>> {
    let zone = TimeZone::get(&document.timezone).unwrap_or_else(|_| TimeZone::system());
    let local = |second: Option<i64>| {
        let moment = second.and_then(|second| Timestamp::from_second(second).ok());
        // To the second, as a schedule is, and without the zone, which is the same for all.
        moment.map_or("-".to_owned(), |moment| zone.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string())
    };
    let row = |entry: &ScheduledAction| {
        let (last, next) = (local(entry.last_run_at), local(entry.next_run_at));
        let (object, action) = (document.path.to_string(), entry.action.clone());
        vec![object, action, entry.keyword.clone(), last, next, entry.schedule.clone()]
    };
    document.entries.iter().map(row).collect()
}
