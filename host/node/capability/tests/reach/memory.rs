//! `wit/state.wit` and `wit/clock.wit`.

use std::time::Duration;

use driver::Verb;
use hostler_capability::{CapabilityError, clock, state};

use crate::harness::{Resource, changes};

#[tokio::test]
async fn state_is_kept_from_call_to_call_and_is_not_a_change() {
    let resource = Resource::new(&[]);
    let context = resource.context(Verb::Start);
    state::set(&context, "boot", "device", "/dev/loop3").await.unwrap();
    let again = resource.context(Verb::Stop);
    assert_eq!(state::get(&again, "boot", "device").await.unwrap().as_deref(), Some("/dev/loop3"));
    assert_eq!(state::get(&again, "persistent", "device").await.unwrap(), None);
    state::remove(&again, "boot", "device").await.unwrap();
    assert_eq!(state::get(&again, "boot", "device").await.unwrap(), None);
    assert_eq!((changes(&context), changes(&again)), (0, 0));
    assert!(matches!(state::get(&again, "forever", "device").await, Err(CapabilityError::Invalid(_))));
}

#[tokio::test]
async fn status_and_validate_have_no_memory() {
    for verb in [Verb::Status, Verb::Validate] {
        let context = Resource::new(&[]).context(verb);
        assert_eq!(state::get(&context, "boot", "k").await, Ok(None));
        assert!(matches!(state::set(&context, "boot", "k", "v").await, Err(CapabilityError::Denied(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sleep_ends_at_the_deadline_or_when_the_action_is_given_up() {
    let resource = Resource { deadline: Duration::from_secs(10), ..Resource::new(&[]) };
    let context = resource.context(Verb::Start);
    assert_eq!(clock::sleep_ms(&context, 4_000).await, Ok(()));
    assert_eq!(clock::sleep_ms(&context, 7_000).await, Err(CapabilityError::TimedOut));
    let given_up = resource.context(Verb::Start);
    given_up.bounds().cancel.cancel();
    assert_eq!(clock::sleep_ms(&given_up, 1).await, Err(CapabilityError::Cancelled));
}
