//! The commands, run by a real shell in a directory where directories stand for subvolumes. They run a stand-in, which fails
//! after so many steps: there the target was cut off.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{ADOPT, LOOK, RECEIVE};

const NEXT: &str = ".hostler-next-n2";
const PREVIOUS: &str = ".hostler-previous";

/// Whatever changes something is a step. A stream is what the copy holds; one that is empty fails in the middle.
const STAND_IN: &str = r#"#!/bin/sh
step() {
    left=$(cat ../steps) && test "$left" -gt 0 && echo $((left - 1)) >../steps || exit 1
}
case "$1 $2" in
    "find "*) exec "$@" ;;
    "mv -T") step && exec "$@" ;;
    "btrfs subvolume") step && exec rm -r -- "$5" ;;
    "btrfs filesystem") ;;
    "btrfs property") test -e "$6" && if test -e "$6/whole"; then echo ro=true; else echo ro=false; fi ;;
    "btrfs receive") step && mkdir .hostler-next-n2 && cat >.hostler-next-n2/data && test -s .hostler-next-n2/data &&
        : >.hostler-next-n2/whole ;;
    *) exit 1 ;;
esac
"#;

/// As many steps as anything takes.
const ENOUGH: u32 = 99;

struct Directory(PathBuf);

impl Directory {
    /// With these copies, each of which is whole and holds the text.
    fn with(copies: &[(&str, &str)]) -> Directory {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let name = format!("hostler-target-{}-{}", std::process::id(), FOLDERS.fetch_add(1, Ordering::Relaxed));
        let directory = Directory(std::env::temp_dir().join(name));
        fs::create_dir_all(directory.0.join("dst")).unwrap();
        fs::write(directory.0.join("stand-in"), STAND_IN).unwrap();
        for (copy, text) in copies {
            fs::create_dir(directory.0.join("dst").join(copy)).unwrap();
            fs::write(directory.0.join("dst").join(copy).join("data"), text).unwrap();
            fs::write(directory.0.join("dst").join(copy).join("whole"), "").unwrap();
        }
        directory
    }

    /// Runs the words, which get so far. Returns what they print, if they got to their end.
    fn run(&self, words: &str, steps: u32, stream: &str) -> Option<String> {
        fs::write(self.0.join("steps"), steps.to_string()).unwrap();
        let words = words.replace('\\', "").replace("/usr/bin/", "/bin/sh ../stand-in ");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &words]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().unwrap();
        let input = format!("{}\n{NEXT}\n{stream}", self.0.join("dst").display());
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// A copy whose source fails in the middle.
    fn fails_to_receive(&self) {
        assert_eq!(self.run(RECEIVE, ENOUGH, ""), None);
    }

    /// The content of a copy, if it exists and is complete.
    fn whole(&self, copy: &str) -> Option<String> {
        let copy = self.0.join("dst").join(copy);
        copy.join("whole").exists().then(|| fs::read_to_string(copy.join("data")).unwrap())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("dst")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn wherever_a_target_is_cut_off_a_whole_copy_outlives_the_sources_that_fail_later() {
    let adopted = [("latest", "old"), (NEXT, "new")];
    let once_cut_off = [("latest", "old"), (NEXT, "new"), (PREVIOUS, "older")];
    for copies in [&adopted[..], &once_cut_off[..]] {
        for (adopting, receiving) in (0..5).flat_map(|adopting| (0..3).map(move |receiving| (adopting, receiving))) {
            let directory = Directory::with(copies);
            let ended = directory.run(ADOPT, adopting, "").is_some();
            directory.run(RECEIVE, receiving, "");
            directory.fails_to_receive();
            let kept = directory.whole("latest");
            let expected: &[&str] = if ended { &["new"] } else { &["old", "new"] };
            assert!(kept.as_deref().is_some_and(|kept| expected.contains(&kept)), "{kept:?} {adopting} {receiving}");
            assert!(directory.run(RECEIVE, ENOUGH, "newest").is_some() && directory.run(ADOPT, ENOUGH, "").is_some());
            assert_eq!(
                (directory.whole("latest").as_deref(), directory.names()),
                (Some("newest"), vec!["latest".to_owned()])
            );
        }
    }
}

#[test]
fn a_copy_that_was_never_adopted_is_kept_if_it_is_complete_and_the_only_one() {
    let directory = Directory::with(&[(NEXT, "first")]);
    directory.fails_to_receive();
    assert_eq!(directory.whole("latest").as_deref(), Some("first"));
    let cut_off = Directory::with(&[]);
    cut_off.fails_to_receive();
    cut_off.fails_to_receive();
    assert_eq!(cut_off.names(), [NEXT], "a part of a copy became the latest");
    let beside = Directory::with(&[("latest", "old"), (NEXT, "new")]);
    beside.fails_to_receive();
    assert_eq!(beside.whole("latest").as_deref(), Some("old"));
}

#[test]
fn a_look_shows_the_copy_that_would_be_kept() {
    let sees = |copies: &[(&str, &str)]| {
        let found = Directory::with(copies).run(LOOK, 0, "").expect("looking changes nothing");
        found.split('/').next().unwrap().to_owned()
    };
    assert_eq!(sees(&[]), "");
    assert_eq!(sees(&[(NEXT, "new")]), NEXT);
    assert_eq!(sees(&[(NEXT, "new"), (PREVIOUS, "old")]), PREVIOUS);
    assert_eq!(sees(&[(NEXT, "new"), (PREVIOUS, "old"), ("latest", "late")]), "latest");
    let directory = Directory::with(&[]);
    fs::create_dir_all(directory.0.join("dst/latest/directory")).unwrap();
    assert_eq!(directory.run(LOOK, 0, "").as_deref(), Some(""), "directories alone do not count as files");
}
