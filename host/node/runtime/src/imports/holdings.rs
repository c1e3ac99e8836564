//! `wit/holdings.wit`: what the resource holds.

use bindings::driver::hostler::driver::holdings::{Holding, Host, Kv};
use capability::holdings::{self, HoldingEntry, ReleaseOptions};

use super::bounds::within_bounds;
use super::{ImportAnswer, answer, kvs, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn list(&mut self) -> ImportAnswer<Vec<Holding>> {
        answer(holdings::list(&self.scope).await.map(|held| held.into_iter().map(holding).collect::<Vec<_>>()))
    }

    async fn release(&mut self, id: String, options: Vec<Kv>) -> ImportAnswer<bool> {
        within_bounds!(id, options);
        let released = match ReleaseOptions::parse(&pairs(options)) {
            Ok(options) => holdings::release(&self.scope, &id, options).await,
            Err(error) => Err(error),
        };
        answer(released)
    }

    async fn declare(
        &mut self,
        scope: String,
        kind: String,
        id: String,
        label: String,
        memory: Vec<Kv>,
    ) -> ImportAnswer<()> {
        within_bounds!(scope, kind, id, label, memory);
        answer(holdings::declare(&self.scope, &scope, (&kind, &id, &label), pairs(memory)).await)
    }

    async fn withdraw(&mut self, kind: String, id: String) -> ImportAnswer<bool> {
        within_bounds!(kind, id);
        answer(holdings::withdraw(&self.scope, &kind, &id).await)
    }

    async fn adopt(&mut self, kind: String, id: String) -> ImportAnswer<Holding> {
        within_bounds!(kind, id);
        answer(holdings::adopt(&self.scope, &kind, &id).await.map(holding))
    }
}

fn holding(found: HoldingEntry) -> Holding {
    let HoldingEntry { kind, id, label, attributes, present } = found;
    Holding { kind, id, label, attributes: kvs(attributes), present }
}
