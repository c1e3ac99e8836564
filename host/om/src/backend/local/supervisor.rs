//! What the daemon reports to systemd, where it runs under systemd: sd_notify(3). Elsewhere nothing happens.

use std::time::Duration;

use daemon::DaemonHandle;
use sd_notify::NotifyState;

/// The daemon is ready: the unit is active from now on.
pub(crate) fn report_ready() {
    notify(&[NotifyState::Ready]);
}

/// The daemon ends.
pub(crate) fn report_stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Answers systemd's watchdog for as long as the daemon answers: one that hangs is killed and started again, which touches no
/// service.
pub(crate) async fn answer_watchdog(handle: DaemonHandle) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    // Half of the time, as sd_watchdog_enabled(3) recommends it: one answer may come late.
    let interval = (limit / 2).max(Duration::from_millis(10));
    while handle.processes().await.is_ok() {
        notify(&[NotifyState::Watchdog]);
        tokio::time::sleep(interval).await;
    }
}

fn notify(state: &[NotifyState<'_>]) {
    // A supervisor that does not listen is no reason to end.
    let _ = sd_notify::notify(state);
}
