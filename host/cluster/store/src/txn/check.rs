//! The limits of a transaction. They are etcd's defaults, and hold for every engine, so that no caller learns of them late.

use crate::{InvalidRequest, KeyRange, TxnCompare, TxnOperation, TxnRequest};

/// The most compares, and the most operations, of one transaction: etcd's `--max-txn-ops`.
pub const MAX_OPERATIONS: usize = 128;

/// The most bytes of one transaction: etcd's `--max-request-bytes`, from which what the encoding may add is taken away.
pub const MAX_REQUEST_BYTES: usize = 1536 * 1024 - 2 * MAX_OPERATIONS * ENCODING_BYTES;

/// What etcd's encoding of one compare or operation takes besides keys and values, at most.
const ENCODING_BYTES: usize = 64;

impl TxnRequest {
    /// Refuses a request that some engine would not take.
    pub fn check(&self) -> Result<(), InvalidRequest> {
        count("compares", self.compares.len())?;
        count("operations", self.operations.len())?;
        let bytes = self.bytes();
        if bytes > MAX_REQUEST_BYTES {
            return Err(InvalidRequest::TooLarge { bytes, limit: MAX_REQUEST_BYTES });
        }
        if self.names_empty_key() {
            return Err(InvalidRequest::EmptyKey);
        }
        self.check_duplicates()
    }

    /// The bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        let compares = self.compares.iter().map(|compare| match compare {
            TxnCompare::Value { key, value } => key.len() + value.len(),
            TxnCompare::Unchanged { key, .. } | TxnCompare::Changed { key, .. } => key.len(),
        });
        let operations = self.operations.iter().map(|operation| match operation {
            TxnOperation::Put { key, value } => key.len() + value.len(),
            TxnOperation::Delete { range } => range.start().len() + range.end().map_or(0, |end| end.len()),
        });
        compares.chain(operations).sum()
    }

    fn names_empty_key(&self) -> bool {
        let puts = self.operations.iter().any(|operation| match operation {
            TxnOperation::Put { key, .. } => key.is_empty(),
            TxnOperation::Delete { .. } => false,
        });
        puts || self.compares.iter().any(|compare| compare.key().is_empty())
    }

    /// A key that is put must not be put or deleted by another operation of the transaction, which would make their order matter.
    fn check_duplicates(&self) -> Result<(), InvalidRequest> {
        let ranges: Vec<KeyRange> = self.operations.iter().map(TxnOperation::range).collect();
        for (index, operation) in self.operations.iter().enumerate() {
            let TxnOperation::Put { key, .. } = operation else { continue };
            // etcd refuses such a transaction ("duplicate key given in txn request"), and two deletions of one key
            // it takes.
            let others = ranges.iter().enumerate().filter(|(other, _)| *other != index);
            if others.into_iter().any(|(_, range)| range.contains(key)) {
                return Err(InvalidRequest::DuplicateKey { key: String::from_utf8_lossy(key).into_owned() });
            }
        }
        Ok(())
    }
}

impl TxnOperation {
    /// The keys that the operation may change.
    pub fn range(&self) -> KeyRange {
        match self {
            TxnOperation::Put { key, .. } => KeyRange::key(key.clone()),
            TxnOperation::Delete { range } => range.clone(),
        }
    }
}

fn count(what: &'static str, count: usize) -> Result<(), InvalidRequest> {
    if count > MAX_OPERATIONS {
        return Err(InvalidRequest::TooMany { what, count, limit: MAX_OPERATIONS });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_of_the_largest_size_is_taken() {
        let value = vec![0_u8; MAX_REQUEST_BYTES - 1];
        assert_eq!(TxnRequest::new().put("k", value).check(), Ok(()));
    }

    #[test]
    fn what_etcd_would_refuse_is_refused() {
        let large = TxnRequest::new().put("k", vec![0_u8; MAX_REQUEST_BYTES]);
        let bytes = MAX_REQUEST_BYTES + 1;
        assert_eq!(large.check(), Err(InvalidRequest::TooLarge { bytes, limit: MAX_REQUEST_BYTES }));

        let many = (0..=MAX_OPERATIONS).fold(TxnRequest::new(), |request, index| request.put(index.to_string(), ""));
        let count = MAX_OPERATIONS + 1;
        assert_eq!(many.check(), Err(InvalidRequest::TooMany { what: "operations", count, limit: MAX_OPERATIONS }));

        assert_eq!(TxnRequest::new().put("", "v").check(), Err(InvalidRequest::EmptyKey));
        let key = "a".to_owned();
        let twice = Err(InvalidRequest::DuplicateKey { key });
        assert_eq!(TxnRequest::new().put("a", "1").put("a", "2").check(), twice);
        assert_eq!(TxnRequest::new().delete_range(KeyRange::all()).put("a", "2").check(), twice);
    }

    #[test]
    fn ranges_that_are_deleted_twice_are_taken() {
        assert_eq!(TxnRequest::new().delete("a").delete_range(KeyRange::prefix("a")).check(), Ok(()));
    }
}
