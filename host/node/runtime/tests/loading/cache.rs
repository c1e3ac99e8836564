//! Compiled drivers are code that runs as the agent: only unmodified files that this uid wrote are loaded.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use nix::unistd::geteuid;
use wasmtime::Config;

use crate::place::{Place, component, flag, skipped};

/// Another user.
const NOBODY: u32 = 65534;

/// The state that the process after the next one finds.
enum Then {
    /// A good file again.
    Mended,
    /// The same bad state: each process compiles for itself.
    StillBad,
}

/// Damages the cache or its file between two processes, and checks that the second one does not load it.
fn check(what: &str, then: Then, happens: impl FnOnce(&Path)) {
    let place = Place::new();
    place.load(flag()).unwrap();
    assert_eq!(place.compilations(), 1);
    happens(&place.compiled());
    place.load(flag()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(place.compilations(), 2, "{what}: it was loaded");
    place.load(flag()).unwrap_or_else(|error| panic!("{what}: {error}"));
    match then {
        Then::Mended => {
            assert_eq!(place.compilations(), 2, "{what}: it was not mended");
            let seen = fs::symlink_metadata(place.compiled()).unwrap();
            let (own, mode) = (seen.uid() == geteuid().as_raw(), seen.mode() & 0o7777);
            assert!(seen.is_file() && own && mode == 0o600, "{what}: {seen:?}");
        }
        Then::StillBad => assert_eq!(place.compilations(), 3, "{what}: it was loaded"),
    }
}

#[test]
fn a_driver_is_compiled_once_into_a_directory_that_is_private() {
    let place = Place::new();
    for _ in 0..3 {
        place.load(flag()).unwrap();
    }
    assert_eq!(place.compilations(), 1);
    assert_eq!(fs::metadata(place.cache()).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::metadata(place.compiled()).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn an_incomplete_file_is_compiled_again() {
    let flip = |file: &Path, at: fn(u64) -> u64| {
        let file = File::options().read(true).write(true).open(file).unwrap();
        let at = at(file.metadata().unwrap().len());
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    };
    check("a bit flipped in the headers", Then::Mended, |file| flip(file, |_| 4));
    // The engine itself does not notice these two.
    check("a bit flipped in the middle", Then::Mended, |file| flip(file, |length| length / 2));
    check("a bit flipped at the end", Then::Mended, |file| flip(file, |length| length - 1));
    let truncate = |file: &Path, length: u64| File::options().write(true).open(file).unwrap().set_len(length).unwrap();
    check("half a file", Then::Mended, |file| truncate(file, fs::metadata(file).unwrap().len() / 2));
    check("an empty file", Then::Mended, |file| truncate(file, 0));
    check("a text", Then::Mended, |file| fs::write(file, "no machine code").unwrap());
    check("a directory", Then::StillBad, |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    });
}

#[test]
fn a_file_of_another_engine_is_compiled_again() {
    check("an engine with other settings", Then::Mended, |file| {
        let other = wasmtime::Engine::new(Config::new().epoch_interruption(false).consume_fuel(true)).unwrap();
        let mut foreign = other.precompile_component(component()).unwrap();
        // With the right checksum: it is the engine that must refuse it.
        foreign.extend(crc32fast::hash(&foreign).to_le_bytes());
        fs::write(file, foreign).unwrap();
    });
}

#[test]
fn a_file_that_others_could_have_written_is_compiled_again() {
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    check("a file that all may write", Then::Mended, |file| mode(file, 0o602));
    check("a file that its group may write", Then::Mended, |file| mode(file, 0o620));
    check("a directory that all may write", Then::StillBad, |file| mode(file.parent().unwrap(), 0o777));
    check("a directory that its group may write", Then::StillBad, |file| mode(file.parent().unwrap(), 0o770));
    check("a link to a good file", Then::Mended, |file| {
        let elsewhere = file.parent().unwrap().with_file_name("elsewhere");
        fs::rename(file, &elsewhere).unwrap();
        symlink(&elsewhere, file).unwrap();
    });
}

#[test]
fn a_file_of_another_user_is_compiled_again() {
    if !geteuid().is_root() {
        return skipped("only root can give files away");
    }
    let give = |path: &Path| chown(path, Some(NOBODY), None).unwrap();
    check("a file of another user", Then::Mended, |file| give(file));
    check("a directory of another user", Then::StillBad, |file| give(file.parent().unwrap()));
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_and_nothing_else() {
    let place = Place::new();
    fs::write(place.cache(), "a file where the directory should be").unwrap();
    for expected in [1, 2] {
        place.load(flag()).unwrap();
        assert_eq!(place.compilations(), expected);
    }
}
