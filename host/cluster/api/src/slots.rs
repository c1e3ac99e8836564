//! How many of something may be there at once: in all, and for one client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for some, of which one client can take a part.
#[derive(Debug, Clone)]
pub(crate) struct SharedSlots {
    all: Arc<Semaphore>,
    of_clients: Arc<Mutex<HashMap<String, usize>>>,
    most: usize,
    most_of_client: usize,
}

/// There is no room. How many there are: in all, or of that client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoFreeSlot {
    All(usize),
    OfClient(usize),
}

/// A place, which is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct TakenSlot {
    _permit: OwnedSemaphorePermit,
    client: Option<String>,
    of_clients: Arc<Mutex<HashMap<String, usize>>>,
}

impl SharedSlots {
    pub(crate) fn new(most: usize, most_of_client: usize) -> SharedSlots {
        SharedSlots { all: Arc::new(Semaphore::new(most)), of_clients: Arc::default(), most, most_of_client }
    }

    /// Takes a place for a client; without one, for whoever is not limited.
    pub(crate) fn take(&self, client: Option<String>) -> Result<TakenSlot, NoFreeSlot> {
        let permit = Arc::clone(&self.all).try_acquire_owned().map_err(|_| NoFreeSlot::All(self.most))?;
        if let Some(client) = &client {
            let mut of_clients = self.of_clients.lock().unwrap_or_else(PoisonError::into_inner);
            let count = of_clients.entry(client.clone()).or_default();
            if *count >= self.most_of_client {
                return Err(NoFreeSlot::OfClient(self.most_of_client));
            }
            *count += 1;
        }
        Ok(TakenSlot { _permit: permit, client, of_clients: Arc::clone(&self.of_clients) })
    }
}

impl Drop for TakenSlot {
    fn drop(&mut self) {
        let Some(client) = &self.client else { return };
        let mut of_clients = self.of_clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_clients.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                of_clients.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_take_all_and_what_is_given_back_is_there_again() {
        let slots = SharedSlots::new(3, 2);
        let of = |client: &str| slots.take(Some(client.to_owned()));
        let taken = [of("a").unwrap(), of("a").unwrap()];
        assert_eq!(of("a").unwrap_err(), NoFreeSlot::OfClient(2));
        let other = of("b").unwrap();
        assert_eq!(of("c").unwrap_err(), NoFreeSlot::All(3));
        assert_eq!(slots.take(None).unwrap_err(), NoFreeSlot::All(3));
        drop(taken);
        let _again = [of("a").unwrap(), slots.take(None).unwrap()];
        drop(other);
        assert_eq!(slots.of_clients.lock().unwrap().len(), 1);
    }
}
