//! The life of an encrypted device on a cryptsetup in memory.

use std::cell::RefCell;
use std::rc::Rc;

use hostler_sdk::fake::{Case, Host, MIB, ProgramRun, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

const SECRET: &str = "open sesame";

fn crypt() -> LuksDevice {
    LuksDevice {
        name: "web".to_owned(),
        dev: "/dev/sdb".to_owned(),
        passphrase: Some(SECRET.to_owned()),
        keyfile: None,
        discard: false,
        format_options: Vec::new(),
    }
}

fn case(host: &Host) -> Case<LuksDevice> {
    given(crypt()).on(host)
}

fn done(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
}

/// The value of an option.
fn after<'a>(run: &'a ProgramRun<'_>, option: &str) -> &'a str {
    let at = run.args.iter().position(|arg| arg == option).expect("the option is there");
    &run.args[at + 1]
}

fn cryptsetup(key: &RefCell<Vec<u8>>, run: &ProgramRun<'_>) -> Output {
    match run.args[0].as_str() {
        "status" => done(0, "/dev/mapper/web is active.\n  type:    LUKS2\n  device:  /dev/sdb\n", ""),
        "luksFormat" => {
            *key.borrow_mut() = run.stdin.to_vec();
            run.host.set_signature("/dev/sdb", LUKS);
            run.host.set_uuid("/dev/sdb", after(run, "--uuid"));
            done(0, "", "")
        }
        "open" if run.stdin != &key.borrow()[..] => done(2, "", "No key available with this passphrase."),
        "open" => {
            run.host.add_device("/dev/mapper/web", 64 * MIB);
            run.host.identify("/dev/mapper/web", "dm:CRYPT-LUKS2--web");
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
    assert!(LuksDevice::GRANTS.iter().any(|grant| grant.contains(&line)), "{line}");
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
    let keyfile = LuksDevice { passphrase: None, keyfile: Some("/etc/keys/web".into()), ..crypt() };
    given(keyfile).on(&made().text_file("/etc/keys/web", SECRET)).start().is_changed("/dev/mapper/web shows /dev/sdb");
}

#[test]
fn the_wrong_key_opens_nothing() {
    let wrong = LuksDevice { passphrase: Some("please".to_owned()), ..crypt() };
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
    let other = LuksDevice { dev: "/dev/sdc".to_owned(), ..crypt() };
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

/// The remains of an interrupted provision, as the node remembers them.
const CUT_SHORT: &str = "0c0a3d0e-6a51-8f7c-9c4e-5d1f6b7a8c9d";

/// The same, the device with a UUID.
fn cut_short(uuid: &str) -> Host {
    let host = made().state("persistent", "unfinished", CUT_SHORT);
    host.set_uuid("/dev/sdb", uuid);
    host
}

fn clears(host: &Host) -> usize {
    host.calls().iter().filter(|call| call.contains("/sbin/blkdiscard")).count()
}

#[test]
fn a_provision_that_was_cut_short_is_finished_once() {
    let host = cut_short(CUT_SHORT);
    case(&host)
        .provision()
        .is_changed("/dev/sdb is encrypted")
        .provision()
        .is_unchanged("/dev/sdb is already encrypted");
    assert_eq!(clears(&host), 1);
}

#[test]
fn a_provision_that_fails_after_the_format_is_finished_by_the_next() {
    let host = empty().program("/sbin/blkdiscard", 1, "");
    let heal = |host: &Host| {
        let _ = host.clone().program("/sbin/blkdiscard", 0, "").signature("/dev/mapper/web", NOISE);
    };
    // A stop is what the host undoes it with.
    case(&host)
        .provision()
        .fails_with("/sbin/blkdiscard exited with 1")
        .stop()
        .then(heal)
        .provision()
        .is_changed("/dev/sdb is encrypted");
    assert_eq!(clears(&host), 2);
}

#[test]
fn a_provision_that_lacks_its_key_clears_no_device_that_is_named_later() {
    let keyfile = |dev: &str| LuksDevice {
        dev: dev.to_owned(),
        passphrase: None,
        keyfile: Some("/etc/keys/web".into()),
        ..crypt()
    };
    let host = made().device("/dev/sdc", 64 * MIB);
    given(keyfile("/dev/sdc")).on(&host).provision().fails_with("/etc/keys/web");
    let host = host.text_file("/etc/keys/web", SECRET);
    given(keyfile("/dev/sdb")).on(&host).provision().is_unchanged("/dev/sdb is already encrypted");
    assert_eq!(clears(&host), 0);
}

#[test]
fn a_device_formatted_by_others_after_an_interrupted_provision_is_left_alone() {
    let host = cut_short("11111111-6a51-4f7c-9c4e-5d1f6b7a8c9d");
    case(&host).provision().is_unchanged("/dev/sdb is already encrypted");
    // Not even if they give it back the UUID of before.
    host.set_uuid("/dev/sdb", CUT_SHORT);
    case(&host).provision().is_unchanged("/dev/sdb is already encrypted");
    assert_eq!(clears(&host), 0);
}

#[test]
fn a_device_written_to_after_an_interrupted_provision_is_not_cleared() {
    let started = cut_short(CUT_SHORT);
    case(&started).start().stop().provision().is_unchanged("/dev/sdb is already encrypted");
    let opened = cut_short(CUT_SHORT).device("/dev/mapper/web", 64 * MIB);
    case(&opened).provision().is_unchanged("/dev/sdb is already encrypted");
    let written = cut_short(CUT_SHORT).signature("/dev/mapper/web", "ext4");
    case(&written).provision().is_changed("/dev/sdb is encrypted, and holds ext4");
    assert_eq!([clears(&started), clears(&opened), clears(&written)], [0, 0, 0]);
}

#[test]
fn a_name_that_shows_another_device_is_found_out_before_anything_is_formatted() {
    let host = made().device("/dev/mapper/web", MIB).device("/dev/sdc", MIB);
    let other = LuksDevice { dev: "/dev/sdc".to_owned(), ..crypt() };
    given(other).on(&host).provision().fails_with("/dev/mapper/web shows /dev/sdb, not /dev/sdc");
    assert!(!host.calls().iter().any(|call| call.contains("luksFormat")), "{:#?}", host.calls());
    assert_eq!(clears(&host), 0);
}

#[test]
fn each_format_has_a_uuid_of_its_own() {
    let host = empty();
    case(&host).provision().unprovision().then(|host| assert!(host.release_device("/dev/mapper/web")));
    given(crypt()).with(Context::fake("disk#1").with("sid", "another")).on(&host).provision();
    let calls = host.calls();
    let uuids = calls.iter().filter_map(|call| call.split_once("--uuid ")?.1.split(' ').next());
    let uuids: Vec<&str> = uuids.collect();
    assert!(matches!(uuids[..], [first, second] if first != second && first.len() == 36), "{uuids:?}");
}

#[test]
fn invalid_keywords_are_reported() {
    case(&empty()).validate().finds(&[]);
    let wrong = LuksDevice { name: "a/b".to_owned(), passphrase: None, ..crypt() };
    given(wrong).on(&empty()).validate().finds(&[
        ("name", "\"a/b\" is not a name for a device of device-mapper"),
        ("passphrase", "neither passphrase nor keyfile is set"),
    ]);
    let options = vec!["--header".to_owned(), "/x".to_owned()];
    let wrong = LuksDevice { format_options: options, ..crypt() };
    given(wrong).on(&empty()).provision().fails_with("format_options: \"--header\" is not supported");
}

#[test]
fn without_cryptsetup_nothing_is_known() {
    let host = Host::new().device("/dev/mapper/web", MIB);
    case(&host).status().is(State::Undefined).mentions("comes with the package cryptsetup-bin");
}

#[test]
fn a_device_that_another_program_renamed_is_taken_down_by_the_host() {
    let host = made();
    let case = case(&host).start().then(|host| {
        host.add_device("/dev/mapper/stray", MIB);
        host.identify("/dev/mapper/stray", "dm:CRYPT-LUKS2--web");
        assert!(host.release_device("/dev/mapper/web"));
    });
    case.status()
        .is(State::Warn)
        .mentions("/dev/mapper/web is called /dev/mapper/stray now")
        .stop()
        .is_changed("/dev/mapper/stray is down, which was called /dev/mapper/web")
        .status()
        .is(State::Down);
    assert!(!host.has_file("/dev/mapper/stray"));
}

fn renamed() -> LuksDevice {
    LuksDevice { name: "other".to_owned(), ..crypt() }
}

#[test]
fn what_start_opened_is_closed_whatever_the_keywords_say_by_then() {
    let host = made();
    case(&host).start();
    given(renamed())
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("/dev/mapper/web is up: name applies at the next start")
        .exposes("device", "/dev/mapper/web")
        .start()
        .is_unchanged("/dev/mapper/web is already up")
        .stop()
        .is_changed("/dev/mapper/web is down")
        .status()
        .is(State::Down)
        .is_silent();
    assert!(!host.has_file("/dev/mapper/web"));
}

#[test]
fn a_device_that_something_else_opened_is_left_alone_until_it_is_adopted() {
    let host = made().device("/dev/mapper/web", 64 * MIB);
    host.identify("/dev/mapper/web", "dm:CRYPT-LUKS1--web");
    let stranger = "/dev/mapper/web shows /dev/sdb already, but not by this resource";
    case(&host)
        .status()
        .is(State::Down)
        .mentions(stranger)
        .start()
        .fails_with("start --local --adopt takes it on")
        .stop()
        .is_unchanged("/dev/mapper/web is already down");
    assert!(host.has_file("/dev/mapper/web"));
    let adopting = given(crypt()).with(Context::fake("disk#1").with("adopt", "true")).on(&host);
    adopting
        .start()
        .is_unchanged("took on /dev/mapper/web")
        .status()
        .is(State::Up)
        .stop()
        .is_changed("/dev/mapper/web is down");
    assert!(!host.has_file("/dev/mapper/web"));
}
