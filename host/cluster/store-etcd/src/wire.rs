//! The store's requests and answers, as etcd has them.

use bytes::Bytes;
use prost::Message as _;
use store::{
    ComparedKey, InvalidRequest, KeyEntry, KeyEvent, KeyRange, StoreError, TxnCompare, TxnOperation, TxnOutcome,
    TxnRequest,
};

use crate::CallFault;
use crate::rpc::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::rpc::etcdserverpb::event::EventType;
use crate::rpc::etcdserverpb::request_op::Request;
use crate::rpc::etcdserverpb::response_op::Response;
use crate::rpc::etcdserverpb::{
    Compare, DeleteRangeRequest, Event, KeyValue, PutRequest, RangeRequest, RequestOp, ResponseHeader,
    TxnRequest as WireTxn, TxnResponse,
};

/// etcd's `--max-request-bytes`, without what it adds to a request by itself.
const MAX_WIRE_BYTES: usize = 1536 * 1024 - 1024;

/// The first key that can exist; as an end, etcd takes it for "no end".
const FIRST_KEY: Bytes = Bytes::from_static(b"\0");

/// What etcd's answers begin with.
pub(crate) fn header(header: Option<&ResponseHeader>) -> Result<(u64, u64), CallFault> {
    let header = header.ok_or(CallFault::Senseless("it has no header"))?;
    Ok((header.cluster_id, number(header.revision)?))
}

pub(crate) fn number(value: i64) -> Result<u64, CallFault> {
    u64::try_from(value).map_err(|_| CallFault::Senseless("a number is negative"))
}

/// etcd counts in signed numbers. A revision that it cannot have is one that it has not reached.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The two ends of a range. The range must not be empty: etcd would take an empty end for "this key alone".
pub(crate) fn bounds(range: &KeyRange) -> (Bytes, Bytes) {
    let start = if range.start().is_empty() { FIRST_KEY } else { range.start().clone() };
    (start, range.end().cloned().unwrap_or(FIRST_KEY))
}

pub(crate) fn range(range: &KeyRange) -> RangeRequest {
    let (key, range_end) = bounds(range);
    RangeRequest { key, range_end, ..RangeRequest::default() }
}

pub(crate) fn entry(pair: KeyValue) -> Result<KeyEntry, CallFault> {
    Ok(KeyEntry {
        key: pair.key,
        value: pair.value,
        create_revision: number(pair.create_revision)?,
        mod_revision: number(pair.mod_revision)?,
        version: number(pair.version)?,
    })
}

/// A change of a key, and its revision.
pub(crate) fn event(event: Event) -> Result<(u64, KeyEvent), CallFault> {
    let kind = event.r#type();
    let pair = event.kv.ok_or(CallFault::Senseless("an event has no key"))?;
    let revision = number(pair.mod_revision)?;
    let event = match kind {
        EventType::Put => KeyEvent::Put(entry(pair)?),
        EventType::Delete => KeyEvent::Delete { key: pair.key },
    };
    Ok((revision, event))
}

/// A transaction that answers a refusal with what its compares found.
pub(crate) fn txn(request: &TxnRequest) -> Result<WireTxn, StoreError> {
    request.check()?;
    // Reads in the failure branch: what the compares found, of the same revision, without a second request.
    let found = |compare: &TxnCompare| {
        let range = RangeRequest { key: compare.key().clone(), ..RangeRequest::default() };
        operation(Request::RequestRange(range))
    };
    let wire = WireTxn {
        compare: request.compares.iter().map(compare).collect(),
        success: request.operations.iter().filter_map(change).collect(),
        failure: request.compares.iter().map(found).collect(),
    };
    // Checked here: etcd's own refusal would leave open whether the request had been applied.
    let bytes = wire.encoded_len();
    if bytes > MAX_WIRE_BYTES {
        return Err(InvalidRequest::TooLarge { bytes, limit: MAX_WIRE_BYTES }.into());
    }
    Ok(wire)
}

fn compare(compare: &TxnCompare) -> Compare {
    let (result, target, union) = match compare {
        TxnCompare::Unchanged { mod_revision, .. } => {
            (CompareResult::Equal, CompareTarget::Mod, TargetUnion::ModRevision(signed(*mod_revision)))
        }
        TxnCompare::Changed { mod_revision, .. } => {
            (CompareResult::NotEqual, CompareTarget::Mod, TargetUnion::ModRevision(signed(*mod_revision)))
        }
        TxnCompare::Value { value, .. } => {
            (CompareResult::Equal, CompareTarget::Value, TargetUnion::Value(value.clone()))
        }
    };
    Compare { result: result.into(), target: target.into(), key: compare.key().clone(), target_union: Some(union) }
}

/// None: it changes nothing.
fn change(change: &TxnOperation) -> Option<RequestOp> {
    match change {
        TxnOperation::Put { key, value } => {
            Some(operation(Request::RequestPut(PutRequest { key: key.clone(), value: value.clone() })))
        }
        // etcd would take it for the deletion of one key.
        TxnOperation::Delete { range } if range.is_empty() => None,
        TxnOperation::Delete { range } => {
            let (key, range_end) = bounds(range);
            Some(operation(Request::RequestDeleteRange(DeleteRangeRequest { key, range_end })))
        }
    }
}

fn operation(request: Request) -> RequestOp {
    RequestOp { request: Some(request) }
}

/// What became of a transaction.
pub(crate) fn outcome(request: &TxnRequest, answer: TxnResponse) -> Result<TxnOutcome, CallFault> {
    let (_, revision) = header(answer.header.as_ref())?;
    if answer.succeeded {
        return Ok(TxnOutcome::Applied { revision });
    }
    if answer.responses.len() != request.compares.len() {
        return Err(CallFault::Senseless("a refusal does not say what was found"));
    }
    let found = request.compares.iter().zip(answer.responses).map(|(compare, response)| {
        let Some(Response::ResponseRange(range)) = response.response else {
            return Err(CallFault::Senseless("a refusal does not say what was found"));
        };
        let entry = range.kvs.into_iter().next().map(entry).transpose()?;
        Ok(ComparedKey { key: compare.key().clone(), entry })
    });
    Ok(TxnOutcome::Refused { revision, compared: found.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_what_etcd_means_by_them() {
        let bounds = |range: KeyRange| {
            let (start, end) = super::bounds(&range);
            (start.to_vec(), end.to_vec())
        };
        assert_eq!(bounds(KeyRange::all()), (b"\0".to_vec(), b"\0".to_vec()));
        assert_eq!(bounds(KeyRange::prefix("a")), (b"a".to_vec(), b"b".to_vec()));
        assert_eq!(bounds(KeyRange::key("a")), (b"a".to_vec(), b"a\0".to_vec()));
        assert_eq!(bounds(KeyRange::prefix(&b"\xff"[..])), (b"\xff".to_vec(), b"\0".to_vec()));
    }

    #[test]
    fn deletion_of_an_empty_range_is_not_sent() {
        let empty = KeyRange::key("a").after(&Bytes::from("a"));
        let wire = txn(&TxnRequest::new().delete_range(empty).put("b", "1")).unwrap();
        assert_eq!(wire.success.len(), 1);
    }

    #[test]
    fn request_that_only_its_encoding_makes_too_large_is_refused_here() {
        let key = |index: usize| format!("{index:03}{}", "k".repeat(4000));
        let request =
            (0..128).fold(TxnRequest::new(), |request, index| request.if_unchanged(key(index), 0).delete(key(index)));
        assert!(request.check().is_ok());
        assert!(matches!(txn(&request), Err(StoreError::Invalid(InvalidRequest::TooLarge { .. }))));
    }

    #[test]
    fn refusal_without_what_was_found_is_no_answer() {
        let answer = TxnResponse { header: Some(ResponseHeader::default()), ..TxnResponse::default() };
        let request = TxnRequest::new().if_unchanged("a", 1);
        assert!(matches!(outcome(&request, answer), Err(CallFault::Senseless(_))));
    }
}
