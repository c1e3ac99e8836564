//! Signals for the resources that read what was installed into a volume.

use capability::holdings::Ledger;
use exec::blocking;
use holding::{Holding, HoldingRecord, HoldingStage};
use kernel::process::{FirstProcess, signal_of};
use model::ObjectPath;

use crate::Directories;

/// Sends the signals of `SIGNAL:RID,…` to the first processes of the resources of an object. Returns what was sent, and what could
/// not be, in words.
pub(super) async fn send(home: &Directories, object: &ObjectPath, words: &[String]) -> Vec<Result<String, String>> {
    let (home, object, words) = (home.clone(), object.clone(), words.to_vec());
    blocking(move || {
        let ledger = Ledger::open(&home.holdings(&object));
        let held = ledger.records(|record| record.stage != HoldingStage::Undone);
        let mut sent = Vec::new();
        for (name, rids) in words.iter().filter_map(|word| word.split_once(':')) {
            for rid in rids.split(',') {
                sent.push(send_to(&held, name, rid));
            }
        }
        sent
    })
    .await
}

fn send_to(held: &[HoldingRecord], name: &str, rid: &str) -> Result<String, String> {
    let upper = name.to_ascii_uppercase();
    let signal = signal_of(&upper).ok_or_else(|| format!("{name} is not a signal that is sent"))?;
    // By the record, which knows the process by its start time too: the number may be another process's by now.
    let first = held.iter().filter(|record| record.rid == rid).find_map(|record| first_process(&record.holding));
    let first = first.ok_or_else(|| format!("{rid} has no process that {upper} could be sent to"))?;
    match first.send(signal) {
        Ok(()) => Ok(format!("sent {upper} to {rid} (process {})", first.pid)),
        Err(error) => Err(format!("cannot send {upper} to {rid}: {error}")),
    }
}

/// The process that the resource was started as, if the host knows it.
fn first_process(holding: &Holding) -> Option<FirstProcess> {
    let (pid, started) = match holding {
        Holding::ProcessGroup(group) => group.first?,
        Holding::Container(container) => container.process?,
        _ => return None,
    };
    Some(FirstProcess { pid, started })
}
