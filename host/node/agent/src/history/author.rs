//! Who changes a configuration, and by what command.

use kernel::files::ownership::user_name;
use serde::{Deserialize, Serialize};

/// What the kernel calls no user.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

/// Who changes a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeAuthor {
    pub user: String,
    pub uid: u32,
    /// The user that logged in, if it is another one: `sudo` and `su` change the user and not the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The command, without secrets.
    pub command: String,
}

impl ChangeAuthor {
    /// The user that this process runs as.
    pub fn of_process(command: impl Into<String>) -> ChangeAuthor {
        let uid = rustix::process::getuid().as_raw();
        let user = name_of(uid);
        // The kernel's note of the login cannot be changed by its user, unlike a variable of the environment.
        let login = login_uid().map(name_of).or_else(|| std::env::var("SUDO_USER").ok());
        let login = login.filter(|login| *login != user && !login.is_empty());
        ChangeAuthor { user, uid, login, command: command.into() }
    }
}

fn name_of(uid: u32) -> String {
    user_name(uid).unwrap_or_else(|| uid.to_string())
}

fn login_uid() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/self/loginuid").ok()?;
    text.trim().parse().ok().filter(|uid| *uid != NOBODY_LOGGED_IN)
}
