//! `om mon --watch` in a real terminal: tmux draws it, and types.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::world::{OM, World, until};

crate::trials!(
    a_watch_follows_the_daemon_and_acts_after_confirmation,
    an_order_is_watched_on_a_large_terminal,
    the_value_of_a_key_steers_no_terminal
);

/// A terminal that runs a command.
pub(crate) struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// None: there is no tmux.
    pub(crate) fn open(world: &World, size: (u16, u16), line: &str) -> Option<Terminal> {
        Terminal::open_with(world, size, "", line)
    }

    /// The same with more variables.
    pub(crate) fn open_with(world: &World, size: (u16, u16), variables: &str, line: &str) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: there is no tmux");
            return None;
        }
        let terminal = Terminal { socket: world.path("tmux.sock") };
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        let root = world.path("root");
        let command = format!(
            "env HOSTLER_ROOT={} HOSTLER_NODENAME=n1 HOSTLER_CACHE={} LC_ALL=C.UTF-8 {variables} {OM} {line}",
            root.display(),
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        );
        terminal.tmux(&["-f", "/dev/null", "-u", "new-session", "-d", "-x", &columns, "-y", &rows, &command]);
        Some(terminal)
    }

    fn tmux(&self, words: &[&str]) -> Output {
        Command::new("tmux").arg("-S").arg(&self.socket).args(words).output().unwrap()
    }

    /// Presses keys, or types a word.
    pub(crate) fn keys(&self, keys: &[&str]) {
        let pressed = self.tmux(&[&["send-keys"], keys].concat());
        assert!(pressed.status.success(), "{pressed:?}");
    }

    fn screen(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let mut screen = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(text, || {
                screen = self.screen();
                screen.contains(text)
            });
        }));
        assert!(seen.is_ok(), "{text} is not shown:\n{screen}");
    }

    /// Whether the command still runs.
    pub(crate) fn is_open(&self) -> bool {
        self.tmux(&["list-sessions"]).status.success()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn service(world: &World, name: &str) {
    world.create(name, &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
}

fn a_watch_follows_the_daemon_and_acts_after_confirmation(world: &World) {
    service(world, "web");
    world.om("daemon start").ok();
    let Some(terminal) = Terminal::open(world, (80, 24), "mon --watch") else {
        world.om("daemon stop").ok();
        return;
    };
    terminal.shows(">web         down failover no 0/1 | X^");
    terminal.keys(&[":start", "Enter"]);
    terminal.shows("start web? y:");
    terminal.keys(&["n", "Enter"]);
    terminal.shows("not confirmed: nothing was done");
    terminal.keys(&[":start", "Enter", "y", "Enter"]);
    terminal.shows(">web         up failover no 1/1 | O^");
    terminal.keys(&["x"]);
    terminal.shows("om web explain");
    terminal.keys(&["Escape"]);
    terminal.shows("Services");
    // Every line fits, and the daemon may come and go.
    assert!(terminal.screen().lines().all(|line| line.chars().count() <= 80));
    world.om("daemon stop").ok();
    terminal.shows("connecting again");
    terminal.shows(">web         up failover no 1/1 | O^");
    world.om("daemon start").ok();
    until("it is connected again", || !terminal.screen().contains("connecting again"));
    terminal.keys(&[":stop", "Enter", "y", "Enter"]);
    terminal.shows(">web         down failover no 0/1 | X^*");
    terminal.keys(&["q"]);
    until("it ends", || !terminal.is_open());
    world.om("daemon stop").ok();
}

fn an_order_is_watched_on_a_large_terminal(world: &World) {
    service(world, "web");
    service(world, "db");
    world.om("daemon start").ok();
    if let Some(terminal) = Terminal::open(world, (200, 60), "web start --watch") {
        terminal.shows("Services ~ web");
        terminal.shows(">web         up failover no 1/1 | O^");
        assert!(!terminal.screen().contains(" db "));
        terminal.keys(&["/", "Enter"]);
        terminal.shows(" db ");
        terminal.keys(&["C-c"]);
        until("it ends", || !terminal.is_open());
        world.om("web stop --wait").ok();
    }
    world.om("daemon stop").ok();
}

fn the_value_of_a_key_steers_no_terminal(world: &World) {
    let value = "before\u{1b}]2;owned\u{7}\u{1b}[8m\u{202e} after\n";
    let file = world.write("value", value);
    world.om("ns1/cfg/k create").ok();
    world.om(&format!("ns1/cfg/k add --key k1 --from {}", file.display())).ok();
    // To a program it is as it was written.
    assert_eq!(world.om("ns1/cfg/k decode --key k1").ok().stdout, value);
    let Some(terminal) = Terminal::open(world, (80, 24), "ns1/cfg/k decode --key k1; sleep 60") else { return };
    terminal.shows("before");
    terminal.shows("after");
    let title = terminal.tmux(&["display-message", "-p", "#{pane_title}"]).stdout;
    assert!(!String::from_utf8_lossy(&title).contains("owned"), "{title:?}");
}
