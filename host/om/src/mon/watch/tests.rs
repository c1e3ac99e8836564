//! Keys, and the frames that they lead to.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use protocol::daemon::StatusDocument;

use super::state::{WatchRequest, WatchState};
use crate::render::mon::MonLine;
use crate::render::mon::tests::status;

/// A state that has drawn a frame of ten rows with these objects below a title.
fn drawn(state: &mut WatchState) -> Vec<String> {
    let line = |name: &str| MonLine { text: name.to_owned(), object: name.parse().ok() };
    let title = MonLine { text: "Services".to_owned(), object: None };
    let lines = |_: &StatusDocument| {
        std::iter::once(title).chain(["a", "b", "c", "d", "e", "f", "g", "i", "j"].map(line)).collect()
    };
    state.frame(lines, 10)
}

fn started() -> WatchState {
    let mut state = WatchState::default();
    state.renew(status(), None);
    drawn(&mut state);
    state
}

fn press(state: &mut WatchState, codes: impl IntoIterator<Item = KeyCode>) -> Option<WatchRequest> {
    let press = |code| {
        let request = state.key(KeyEvent::new(code, KeyModifiers::NONE));
        drawn(state);
        request
    };
    codes.into_iter().map(press).last().flatten()
}

fn letters(text: &str) -> impl Iterator<Item = KeyCode> {
    text.chars().map(|letter| if letter == '\n' { KeyCode::Enter } else { KeyCode::Char(letter) })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_marked_object_is_what_keys_are_about_and_stays_on_the_screen() {
    let mut state = started();
    assert_eq!(press(&mut state, [KeyCode::Enter]), Some(WatchRequest::Show(words("a print status"))));
    assert_eq!(press(&mut state, [KeyCode::Down, KeyCode::Char('x')]), Some(WatchRequest::Show(words("b explain"))));
    press(&mut state, [KeyCode::End]);
    let frame = drawn(&mut state);
    assert_eq!(frame[2..8], ["d", "e", "f", "g", "i", "j"]);
    press(&mut state, [KeyCode::Home]);
    assert_eq!(drawn(&mut state)[2..4], ["Services", "a"]);
}

#[test]
fn an_action_is_confirmed_and_a_destructive_one_by_the_name() {
    let mut state = started();
    assert_eq!(press(&mut state, letters(":do stop\n")), None);
    assert_eq!(drawn(&mut state)[9], "stop a? y: _");
    assert_eq!(press(&mut state, letters("y\n")), Some(WatchRequest::Act(words("a stop"))));
    assert_eq!(press(&mut state, letters(":purge\ny\n")), None);
    assert_eq!(drawn(&mut state)[9], "not confirmed: nothing was done");
    assert_eq!(press(&mut state, letters(":purge\na\n")), Some(WatchRequest::Act(words("a purge --confirm"))));
    let switched = press(&mut state, letters(":switch n2\ny\n"));
    assert_eq!(switched, Some(WatchRequest::Act(words("a switch --node n2"))));
    assert_eq!(press(&mut state, letters(":explode\n")), None);
    assert_eq!(drawn(&mut state)[9], "explode: not a command here (h lists them)");
}

#[test]
fn a_filter_is_typed_and_a_pane_is_left_by_esc() {
    let mut state = started();
    assert_eq!(press(&mut state, letters("/ns1/*\n")), Some(WatchRequest::Filter("ns1/*".to_owned())));
    press(&mut state, letters("h"));
    assert!(drawn(&mut state)[2].contains("choose an object"));
    press(&mut state, [KeyCode::Esc]);
    assert_eq!(drawn(&mut state)[2], "Services");
    assert_eq!(press(&mut state, letters("q")), Some(WatchRequest::Quit));
}

#[test]
fn a_daemon_that_is_gone_is_said_with_the_age_of_what_is_shown() {
    let mut state = started();
    assert_eq!(drawn(&mut state)[0], "om mon   aubergine");
    state.lose("the daemon has stopped".to_owned());
    assert_eq!(drawn(&mut state)[0], "om mon   aubergine   0 s old, connecting again: the daemon has stopped");
    assert_eq!(drawn(&mut state)[3], "a");
}
