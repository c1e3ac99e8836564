//! The life of an encrypted device on a cryptsetup in memory.

use std::cell::RefCell;
use std::rc::Rc;

use hostler_sdk::fake::{Case, Host, MIB, Run, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

const SECRET: &str = "open sesame";

fn crypt() -> Crypt {
    Crypt {
        name: "web".to_owned(),
        dev: "/dev/sdb".to_owned(),
        passphrase: Some(SECRET.to_owned()),
        keyfile: None,
        discard: false,
        format_options: Vec::new(),
    }
}

fn case(host: &Host) -> Case<Crypt> {
    given(crypt()).on(host)
}

fn done(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
}

fn cryptsetup(key: &RefCell<Vec<u8>>, run: &Run<'_>) -> Output {
    match run.args[0].as_str() {
        "status" => done(0, "/dev/mapper/web is active.\n  type:    LUKS2\n  device:  /dev/sdb\n", ""),
        "luksFormat" => {
            *key.borrow_mut() = run.stdin.to_vec();
            run.host.set_signature("/dev/sdb", LUKS);
            done(0, "", "")
        }
        "open" if run.stdin != &key.borrow()[..] => done(2, "", "No key available with this passphrase."),
        "open" => {
            run.host.add_device("/dev/mapper/web", 64 * MIB);
            done(0, "", "")
        }
        "close" if !run.host.release_device("/dev/mapper/web") => done(5, "", "Device web is still in use."),
        _ => done(0, "", ""),
    }
}

/// An empty device and the programs.
fn empty() -> Host {
    let key = Rc::new(RefCell::new(SECRET.as_bytes().to_vec()));
    let host = Host::new().device("/dev/sdb", 64 * MIB);
    let host = host.program_with("/sbin/cryptsetup", move |run| cryptsetup(&key, run));
    let host = host.program("/sbin/blkdiscard", 0, "");
    host.program_with("/sbin/wipefs", |run| {
        run.host.clear_signature("/dev/sdb");
        done(0, "", "")
    })
}

fn made() -> Host {
    empty().signature("/dev/sdb", LUKS)
}

#[test]
fn the_grant_is_that_of_the_options() {
    let line = options::grant(&OPTIONS);
    assert!(Crypt::GRANTS.iter().any(|grant| grant.contains(&line)), "{line}");
}

#[test]
fn it_is_opened_and_closed_once() {
    case(&made())
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .start()
        .is_changed("/dev/mapper/web shows /dev/sdb")
        .start()
        .is_unchanged("/dev/mapper/web is already up")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("/dev/mapper/web /dev/sdb")
        .exposes("device", "/dev/mapper/web")
        .stop()
        .is_changed("/dev/mapper/web is down")
        .stop()
        .is_unchanged("/dev/mapper/web is already down")
        .status()
        .is(State::Down);
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    stop_undoes_any_failed_start(|| case(&made()));
}

#[test]
fn the_key_is_never_an_argument() {
    let host = empty();
    case(&host).provision().start();
    assert!(!host.calls().iter().any(|call| call.contains(SECRET)), "{:#?}", host.calls());
    let keyfile = Crypt { passphrase: None, keyfile: Some("/etc/keys/web".into()), ..crypt() };
    given(keyfile).on(&made().text_file("/etc/keys/web", SECRET)).start().is_changed("/dev/mapper/web shows /dev/sdb");
}

#[test]
fn the_wrong_key_opens_nothing() {
    let wrong = Crypt { passphrase: Some("please".to_owned()), ..crypt() };
    given(wrong).on(&made()).start().fails_with("No key available with this passphrase.").status().is(State::Down);
}

#[test]
fn a_device_in_use_stays_up() {
    let host = made().busy("/dev/mapper/web");
    case(&host).start().stop().fails_with("Device web is still in use.").status().is(State::Up);
}

#[test]
fn another_device_under_the_same_name_is_not_taken_for_it() {
    let host = made().device("/dev/mapper/web", MIB).device("/dev/sdc", MIB);
    let other = Crypt { dev: "/dev/sdc".to_owned(), ..crypt() };
    given(other)
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("/dev/mapper/web shows /dev/sdb, not /dev/sdc")
        .start()
        .fails_with("not /dev/sdc")
        .stop()
        .is_unchanged("/dev/mapper/web is already down");
}

#[test]
fn provision_encrypts_an_empty_device_and_unprovision_forgets_its_keys() {
    case(&empty())
        .status()
        .is_provisioned(false)
        .provision()
        .is_changed("/dev/sdb is encrypted")
        .provision()
        .is_unchanged("/dev/sdb is already encrypted")
        .unprovision()
        .is_changed("destroyed the keys of /dev/sdb")
        .unprovision()
        .is_unchanged("/dev/sdb is not encrypted");
    let host = empty();
    case(&host).provision().start().is_unchanged("/dev/mapper/web is already up");
    let cleared = "process.run /sbin/blkdiscard --zeroout --length 256KiB -- /dev/mapper/web";
    assert!(host.calls().iter().any(|call| call == cleared), "{:#?}", host.calls());
    case(&empty().signature("/dev/sdb", "ext4")).provision().fails_with("/dev/sdb holds ext4: it is not overwritten");
}

#[test]
fn a_provision_that_was_cut_short_is_finished() {
    let host = made().state("persistent", "unfinished", "true");
    case(&host)
        .provision()
        .is_changed("/dev/sdb is encrypted")
        .provision()
        .is_unchanged("/dev/sdb is already encrypted");
}

#[test]
fn what_cannot_be_encrypted_is_a_problem() {
    case(&empty()).validate().finds(&[]);
    let wrong = Crypt { name: "a/b".to_owned(), passphrase: None, ..crypt() };
    given(wrong).on(&empty()).validate().finds(&[
        ("name", "\"a/b\" is no name for a device of device-mapper"),
        ("passphrase", "neither passphrase nor keyfile says what the key is"),
    ]);
    let options = vec!["--header".to_owned(), "/x".to_owned()];
    let wrong = Crypt { format_options: options, ..crypt() };
    given(wrong).on(&empty()).provision().fails_with("format_options: \"--header\" is not supported");
}

#[test]
fn without_cryptsetup_nothing_is_known() {
    let host = Host::new().device("/dev/mapper/web", MIB);
    case(&host).status().is(State::Undefined).mentions("comes with the package cryptsetup-bin");
}
