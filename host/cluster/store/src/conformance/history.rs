//! Whole histories against the model: every list at every revision, every watch from every revision.

use std::sync::Arc;

use super::{RandomWords, StoreModel, next, random_request, revision};
use crate::{KeyQuery, KeyRange, RevisionChange, Store, StoreError};

type StoreHandle = Arc<dyn Store>;

pub async fn random_histories_are_those_of_the_model(store: StoreHandle) {
    let mut model = StoreModel::new(revision(&*store).await);
    let mut words = RandomWords::Seed(1);
    for _ in 0..150 {
        apply_random(&*store, &mut model, &mut words).await;
    }
    check_history(&*store, &model, model.first()).await;
    let middle = model.first() + (model.revision() - model.first()) / 2;
    store.compact(middle).await.unwrap();
    check_history(&*store, &model, middle).await;
}

/// Applies a random request to both, and compares the answers.
pub async fn apply_random(store: &dyn Store, model: &mut StoreModel, words: &mut RandomWords) {
    let request = random_request(words, model);
    match store.txn(request.clone()).await {
        Err(StoreError::Invalid(error)) => assert_eq!(request.check(), Err(error)),
        outcome => assert_eq!(outcome.unwrap(), model.apply(&request), "{request:?}"),
    }
}

/// Compares all lists and watches since a revision.
pub async fn check_history(store: &dyn Store, model: &StoreModel, since: u64) {
    assert_eq!(revision(store).await, model.revision());
    for revision in since..=model.revision() {
        let listing = store.list(&KeyQuery::at(KeyRange::all(), revision)).await.unwrap();
        assert_eq!(listing.entries, model.entries(revision), "list at {revision}");
    }
    for range in [KeyRange::all(), KeyRange::prefix("a/"), KeyRange::key("b")] {
        for from in since + 1..=model.revision() {
            check_watch(store, model, &range, from).await;
        }
    }
}

async fn check_watch(store: &dyn Store, model: &StoreModel, range: &KeyRange, from: u64) {
    let mut feed = store.watch(range.clone(), from).await.unwrap();
    for revision in from..=model.revision() {
        let change = model.change(revision);
        let events: Vec<_> = change.events.iter().filter(|event| range.contains(event.key())).cloned().collect();
        if events.is_empty() {
            continue;
        }
        let seen = next(&mut *feed).await;
        let mut found = seen.events.to_vec();
        found.sort_by(|a, b| a.key().cmp(b.key()));
        let seen = RevisionChange { revision: seen.revision, events: found.into() };
        assert_eq!(seen, RevisionChange { revision, events: events.into() }, "watch of {range:?} from {from}");
    }
}
