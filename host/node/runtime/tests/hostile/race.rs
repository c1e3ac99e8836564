//! A path that changes between the check and the use: a directory of the driver's own, swapped for a link elsewhere.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::guest::Hostile;

/// How often each outcome must be seen: swaps that were never noticed prove nothing.
const ENOUGH: usize = 50;

/// Stops the swapping, even if the test fails, which would otherwise wait for its thread forever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_is_swapped_for_a_link_leads_nowhere() {
    let hostile = Hostile::trusted();
    let (place, link, secret) =
        (hostile.bench.path("own/place"), hostile.bench.path("link"), hostile.bench.path("secret"));
    for (directory, text) in [(&place, "own"), (&secret, "secret")] {
        fs::create_dir(directory).unwrap();
        fs::write(format!("{directory}/key"), text).unwrap();
    }
    symlink(&secret, &link).unwrap();
    // Links where only root can write are root's own, and are followed.
    fs::set_permissions(hostile.bench.path("own"), fs::Permissions::from_mode(0o777)).unwrap();
    let before = fs::metadata(format!("{secret}/key")).unwrap();

    let (mut allowed, mut refused) = (0, 0);
    let stop = AtomicBool::new(false);
    let give_up = Instant::now() + Duration::from_secs(60);
    let key = format!("{place}/key");
    let attempts: [&[&str]; 4] = [&["write", &key, "own"], &["read", &key], &["set-mode", &key], &["remove", &key]];
    std::thread::scope(|threads| {
        let _stop = Stop(&stop);
        threads.spawn(|| {
            while !stop.load(Ordering::Acquire) {
                renameat_with(CWD, &place, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                while allowed.min(refused) < ENOUGH && Instant::now() < give_up {
                    for words in attempts {
                        match hostile.start(words).await {
                            Ok(text) => {
                                assert_ne!(text, "secret");
                                allowed += 1;
                            }
                            Err(_) => refused += 1,
                        }
                    }
                }
            });
        });
    });
    assert!(allowed.min(refused) >= ENOUGH, "{allowed} allowed, {refused} refused");
    let after = fs::metadata(format!("{secret}/key")).unwrap();
    assert_eq!(fs::read_to_string(format!("{secret}/key")).unwrap(), "secret");
    assert_eq!((after.mode(), after.ino(), after.mtime_nsec()), (before.mode(), before.ino(), before.mtime_nsec()));
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
}
