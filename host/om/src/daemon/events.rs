//! `om events`: follows what happens, across restarts of the daemon.

use std::process::ExitCode;
use std::time::Duration;

use client::{ClientError, DaemonClient, EventStream, EventWish};
use protocol::daemon::{ClusterNode, DaemonEvent, EventKind, StatusDocument};
use serde_json::json;

use crate::backend::block_on;
use crate::command::{EventsArgs, OutputFormat};
use crate::daemon::filter::EventFilter;
use crate::daemon::template::EventTemplate;
use crate::exit::{self, Failure, Outcome};
use crate::render::event::line;
use crate::render::structured::{escaped, structured};
use crate::session::Session;
use crate::terminal::{complain, is_closed, print};

/// A daemon that is gone is looked for again this often, for so long.
const RETRY: Duration = Duration::from_millis(200);
const RETRIES: u32 = 150;

/// How following ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FollowEnd {
    /// All that was asked for was seen.
    Complete,
    /// The time was over.
    TimeOver,
}

/// What is still wanted of the events.
struct EventWatch<'a> {
    args: &'a EventsArgs,
    quiet: bool,
    filters: Vec<EventFilter>,
    template: Option<EventTemplate>,
    /// For --wait: which filters have matched.
    matched: Vec<bool>,
    shown: u64,
}

pub(crate) fn run(session: &Session, args: &EventsArgs) -> Outcome {
    let filters: Vec<EventFilter> = args.filter.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let matched = vec![false; filters.len()];
    let template = args.template.as_deref().map(str::parse).transpose()?;
    let mut watch = EventWatch { args, quiet: session.global.quiet, filters, template, matched, shown: 0 };
    let client = session.daemon().client;
    let end = block_on(async {
        let following = follow(&client, args, &mut watch);
        match args.duration {
            Some(limit) => tokio::time::timeout(limit, following).await.unwrap_or(Ok(FollowEnd::TimeOver)),
            None => following.await,
        }
    })??;
    match end {
        FollowEnd::TimeOver if args.wait => {
            complain(&format!("not seen in time: {}", watch.missing()));
            Ok(ExitCode::from(exit::TIMED_OUT))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn follow(client: &DaemonClient, args: &EventsArgs, watch: &mut EventWatch<'_>) -> Result<FollowEnd, Failure> {
    let mut after = args.after;
    if args.replay {
        // The events behind this very status follow, so that none is missing and none comes twice.
        let status = client.status().await?;
        for event in present(&status) {
            if watch.take(&event) {
                return Ok(FollowEnd::Complete);
            }
        }
        after = Some(status.daemon.last_event);
    }
    let mut stream = client.events(&wish(after)).await?;
    loop {
        match stream.next().await {
            Ok(Some(event)) => {
                after = Some(event.id);
                if watch.take(&event) {
                    return Ok(FollowEnd::Complete);
                }
            }
            // The daemon has ended. A restart takes a moment, and the next one goes on counting.
            Ok(None) | Err(ClientError::HungUp(_)) => stream = again(client, after).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

fn wish(after: Option<u64>) -> EventWish {
    EventWish { after, ..EventWish::default() }
}

/// Connects to the next daemon.
async fn again(client: &DaemonClient, after: Option<u64>) -> Result<EventStream, Failure> {
    for _ in 0..RETRIES {
        match client.events(&wish(after)).await {
            Err(error) if error.is_absence() => tokio::time::sleep(RETRY).await,
            other => return Ok(other?),
        }
    }
    Err(Failure::failed("the daemon has stopped, and no other one was started: om daemon start"))
}

/// How everything is now, as events.
fn present(status: &StatusDocument) -> Vec<DaemonEvent> {
    let (id, node, at) = (status.daemon.last_event, &status.daemon.nodename, status.daemon.started_at);
    let objects = status.cluster.object.iter().map(|(path, object)| DaemonEvent {
        id,
        at,
        kind: EventKind::ObjectStatus,
        node: node.clone(),
        path: Some(path.clone()),
        data: serde_json::to_value(object).unwrap_or_default(),
    });
    let instances = status.cluster.node.iter().flat_map(|(node, ClusterNode { instance, monitor, .. })| {
        instance.iter().map(move |(path, instance)| DaemonEvent {
            id,
            at: monitor.updated_at,
            kind: EventKind::InstanceStatus,
            node: node.clone(),
            path: Some(path.clone()),
            data: serde_json::to_value(instance.status.as_ref()).unwrap_or_default(),
        })
    });
    objects.chain(instances).collect()
}

impl EventWatch<'_> {
    /// Shows an event that is wanted. Whether nothing more is.
    fn take(&mut self, event: &DaemonEvent) -> bool {
        let accepting = self.filters.iter().map(|filter| filter.accepts(event));
        let mut any = self.filters.is_empty();
        for (matched, accepts) in self.matched.iter_mut().zip(accepting) {
            *matched |= accepts;
            any |= accepts;
        }
        // That events were missed is shown in any case: what was waited for may be among them.
        if any || event.kind == EventKind::Resync {
            self.show(event);
            self.shown += u64::from(any);
        }
        let waited = self.args.wait && self.matched.iter().all(|matched| *matched);
        waited || self.args.limit.is_some_and(|limit| self.shown >= limit) || is_closed()
    }

    fn show(&self, event: &DaemonEvent) {
        if self.quiet {
            return;
        }
        if let Some(template) = &self.template {
            return print(&(template.fill(event) + "\n"));
        }
        let value = || serde_json::to_value(event).unwrap_or_default();
        match self.args.output.format {
            OutputFormat::Human | OutputFormat::Dot => print(&line(event)),
            // One line each, so that a reader need not find their ends.
            OutputFormat::Json => print(&format!("{}\n", escaped(value().to_string()))),
            other => structured(other, &json!({(event.id.to_string()): value()})).iter().for_each(|text| print(text)),
        }
    }

    fn missing(&self) -> String {
        let missing = self.filters.iter().zip(&self.matched).filter(|(_, matched)| !**matched);
        missing.map(|(filter, _)| filter.as_str()).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn event(kind: EventKind, data: Value) -> DaemonEvent {
        DaemonEvent { id: 1, at: 0.0, kind, node: "n1".parse().unwrap(), path: Some("web".parse().unwrap()), data }
    }

    #[test]
    fn waiting_ends_when_every_filter_has_matched() {
        let args = EventsArgs { wait: true, ..EventsArgs::default() };
        let filters: Vec<EventFilter> =
            ["order.end", ".data.avail=up"].iter().map(|text| text.parse().unwrap()).collect();
        let mut watch =
            EventWatch { args: &args, quiet: true, matched: vec![false; 2], filters, template: None, shown: 0 };
        assert!(!watch.take(&event(EventKind::OrderStep, Value::Null)));
        assert!(!watch.take(&event(EventKind::InstanceStatus, json!({"avail": "up"}))));
        assert_eq!(watch.missing(), "order.end");
        assert!(watch.take(&event(EventKind::OrderEnd, Value::Null)));
    }

    #[test]
    fn a_limit_counts_what_was_wanted() {
        let args = EventsArgs { limit: Some(1), ..EventsArgs::default() };
        let filters = vec!["order.end".parse().unwrap()];
        let mut watch =
            EventWatch { args: &args, quiet: true, matched: vec![false], filters, template: None, shown: 0 };
        assert!(!watch.take(&event(EventKind::OrderStep, Value::Null)));
        assert!(watch.take(&event(EventKind::OrderEnd, Value::Null)));
    }
}
