//! A control group for one program: whatever the program leaves running ends with it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Cgroup;

/// How long killed processes may take to leave the group.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(1);

/// A control group that holds nothing after its end.
#[derive(Debug)]
pub struct TemporaryGroup {
    group: Option<Cgroup>,
}

impl TemporaryGroup {
    /// A group of its own in this directory, which is made when the program enters it.
    pub fn within(directory: &Path) -> TemporaryGroup {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        TemporaryGroup { group: Some(Cgroup::at(directory.join(name))) }
    }

    /// The group, for the program to start in.
    pub fn group(&self) -> Option<Cgroup> {
        self.group.clone()
    }

    /// Ends what is left in the group, and removes it. Returns whether anything was left.
    pub async fn end(mut self) -> bool {
        let Some(group) = self.group.take() else { return false };
        if group.remove_alone() {
            return false;
        }
        // Of an error nothing more is known than that the group stays.
        let _ = group.kill();
        let removed = async {
            while !group.remove_alone() {
                tokio::time::sleep(POLL).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, removed).await;
        true
    }
}

/// The program was given up.
impl Drop for TemporaryGroup {
    fn drop(&mut self) {
        let Some(group) = self.group.take().filter(|group| !group.remove_alone()) else { return };
        let _ = group.kill();
        // Aside: the killed processes leave the group a moment later, and this thread must not wait for that.
        std::thread::spawn(move || {
            let mut left = PATIENCE;
            while !group.remove_alone() && !left.is_zero() {
                std::thread::sleep(POLL);
                left = left.saturating_sub(POLL);
            }
        });
    }
}
