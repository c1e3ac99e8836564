//! What the daemon decides and does, a line each, for people.

use protocol::daemon::{ReasonDocument, TraceEntry, TraceMatter};

use crate::render::moment;

/// An entry as a line, with the time of day.
pub(crate) fn line(entry: &TraceEntry) -> String {
    let path = entry.path.as_ref().map(|path| format!("{path} ")).unwrap_or_default();
    let (time, kind) = (moment::time_of_day(entry.at), entry.matter.kind().as_str());
    // The message of a failure may have several lines.
    format!("{time} {kind:<8} {path}{}\n", words(&entry.matter).replace('\n', "; "))
}

fn words(matter: &TraceMatter) -> String {
    match matter {
        TraceMatter::Decision { steps, reasons, again_in } => decision(steps, reasons, *again_in),
        TraceMatter::Step { step, held_back: None } => step.clone(),
        TraceMatter::Step { step, held_back: Some(why) } => format!("{step}: not now: {why}"),
        TraceMatter::Call { rid, driver, verb, end, changed, took_ms } => {
            let changed = match changed.as_str() {
                "yes" => ", changed",
                "unknown" => ", may have changed something",
                _ => "",
            };
            format!("{rid} {driver} {verb}: {end}{changed} in {took_ms:.1} ms")
        }
        TraceMatter::Look { avail, fault, took_ms } => {
            let seen = match (avail, fault) {
                (Some(avail), _) => avail.clone(),
                (None, fault) => format!("counts for nothing: {}", fault.as_deref().unwrap_or("unknown")),
            };
            format!("{seen} in {took_ms:.1} ms")
        }
        TraceMatter::End { action, cause, end, error, took_ms } => {
            let error = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            format!("{action} ({cause}) {end} in {took_ms:.1} ms{error}")
        }
        TraceMatter::Missed { count } => format!("{count} entries: they came faster than they were read"),
    }
}

fn decision(steps: &[String], reasons: &[ReasonDocument], again_in: Option<f64>) -> String {
    let what = if steps.is_empty() { "nothing to do now".to_owned() } else { steps.join(", ") };
    let why = reasons.iter().map(|reason| format!("; {} ({})", reason.text, reason.code)).collect::<String>();
    let again = again_in.map(|seconds| format!("; again in {}", moment::since(seconds))).unwrap_or_default();
    format!("{what}{why}{again}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        let check = |matter: TraceMatter, expected: &str| {
            let (node, path) = ("n1".parse().unwrap(), Some("web".parse().unwrap()));
            let line = line(&TraceEntry { at: 0.25, node, path, matter });
            assert_eq!(line.split_once(".250 ").unwrap().1, format!("{expected}\n"));
        };
        let text = str::to_owned;
        let reason = ReasonDocument { code: text("frozen"), text: text("the instance is frozen") };
        let (steps, reasons) = (Vec::new(), vec![reason]);
        let again_in = Some(75.0);
        check(
            TraceMatter::Decision { steps, reasons, again_in },
            "decision web nothing to do now; the instance is frozen (frozen); again in 1m15s",
        );
        let held_back = Some(text("another action is under way"));
        check(
            TraceMatter::Step { step: text("start (restart)"), held_back },
            "step     web start (restart): not now: another action is under way",
        );
        let (rid, took_ms) = ("fs#1".parse().unwrap(), 2.04);
        let (driver, verb, end, changed) = (text("fs.flag"), text("start"), text("done"), text("yes"));
        check(
            TraceMatter::Call { rid, driver, verb, end, changed, took_ms },
            "call     web fs#1 fs.flag start: done, changed in 2.0 ms",
        );
        check(TraceMatter::Look { avail: Some(text("up")), fault: None, took_ms }, "look     web up in 2.0 ms");
        let (action, cause, end, error) = (text("stop"), text("drain"), text("failed"), Some(text("one\ntwo")));
        check(
            TraceMatter::End { action, cause, end, error, took_ms },
            "end      web stop (drain) failed in 2.0 ms: one; two",
        );
    }
}
