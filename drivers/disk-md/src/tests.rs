//! The life of an array on an mdadm in memory.

use std::cell::RefCell;
use std::rc::Rc;

use hostler_sdk::fake::{Case, Host, MIB, ProgramRun, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

const NEW: &str = "736f5713:940542de:de5db10c:9ac1667f";
const OTHER: &str = "bbb9d530:2d3abf14:be506cba:3debc489";

/// The output of mdadm about the array, if it is assembled.
type Shown = Rc<RefCell<String>>;

fn md(uuid: Option<&str>) -> SoftwareRaid {
    SoftwareRaid {
        name: "data".to_owned(),
        devs: vec!["/dev/sdb".to_owned(), "/dev/sdc".to_owned()],
        uuid: uuid.map(str::to_owned),
        level: "raid1".to_owned(),
        spares: 0,
        chunk: None,
        bitmap: None,
    }
}

fn case(host: &Host) -> Case<SoftwareRaid> {
    given(md(None)).on(host)
}

fn done(status: i32, stdout: String, stderr: &str) -> Output {
    Output { status, stdout: stdout.into_bytes(), stderr: stderr.as_bytes().to_vec(), truncated: false }
}

fn mdadm(state: &Shown, run: &ProgramRun<'_>) -> Output {
    let devices =
        |run: &ProgramRun<'_>| run.args.iter().filter(|arg| arg.starts_with("/dev/sd")).cloned().collect::<Vec<_>>();
    match run.args[0].as_str() {
        "--detail" => {
            return done(0, format!("{}:\n   State : {}\n    UUID : {NEW}\n", run.args[1], state.borrow()), "");
        }
        "--assemble" => {
            run.host.add_device(&run.args[1], 64 * MIB);
            run.host.identify(&run.args[1], &format!("md:{NEW}"));
        }
        "--create" => {
            for device in devices(run) {
                run.host.set_signature(&device, "linux_raid_member");
                run.host.set_uuid(&device, "736f5713-9405-42de-de5d-b10c9ac1667f");
            }
            run.host.add_device(&run.args[1], 64 * MIB);
            run.host.identify(&run.args[1], &format!("md:{NEW}"));
        }
        "--zero-superblock" => devices(run).iter().for_each(|device| run.host.clear_signature(device)),
        _ if run.host.release_device(&run.args[1]) => *state.borrow_mut() = "clean".to_owned(),
        _ => return done(1, String::new(), "mdadm: Cannot get exclusive access to /dev/md/data"),
    }
    done(0, String::new(), "")
}

/// Two devices and mdadm, whose array is in this state once it is assembled.
fn node_in(state: &str) -> (Host, Shown) {
    let state = Rc::new(RefCell::new(state.to_owned()));
    let shared = state.clone();
    let host = Host::new().device("/dev/sdb", 64 * MIB).device("/dev/sdc", 64 * MIB);
    (host.program_with("/sbin/mdadm", move |run| mdadm(&shared, run)), state)
}

fn node() -> Host {
    node_in("clean").0
}

/// With an array that is not assembled.
fn made() -> Host {
    node().signature("/dev/sdb", "linux_raid_member").signature("/dev/sdc", "linux_raid_member")
}

#[test]
fn it_is_assembled_and_stopped_once() {
    case(&made())
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .start()
        .is_changed("/dev/md/data is up")
        .start()
        .is_unchanged("/dev/md/data is already up")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("/dev/md/data")
        .exposes("device", "/dev/md/data")
        .stop()
        .is_changed("/dev/md/data is down")
        .stop()
        .is_unchanged("/dev/md/data is already down")
        .status()
        .is(State::Down);
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    stop_undoes_any_failed_start(|| case(&made()));
}

#[test]
fn the_uuid_of_the_configuration_or_of_provision_is_asked_for() {
    let host = made();
    given(md(Some(NEW))).on(&host).start();
    let run = format!("process.run /sbin/mdadm --assemble /dev/md/data --uuid {NEW} /dev/sdb /dev/sdc");
    assert!(host.calls().contains(&run), "{:#?}", host.calls());
    let host = made().state("persistent", "uuid", NEW);
    case(&host).start();
    assert!(host.calls().contains(&run), "{:#?}", host.calls());
}

#[test]
fn another_array_under_the_same_name_is_not_taken_for_it() {
    let host = made().device("/dev/md/data", MIB);
    given(md(Some(OTHER)))
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions(&format!("/dev/md/data is the array {NEW}, not {OTHER}"))
        .start()
        .fails_with("is the array");
}

#[test]
fn a_degraded_array_is_a_warning() {
    let (host, state) = node_in("clean");
    case(&host).provision();
    *state.borrow_mut() = "clean, degraded".to_owned();
    case(&host).status().is(State::Warn).mentions("degraded").start().is_unchanged("/dev/md/data is already up");
}

#[test]
fn an_array_that_udev_assembled_is_taken_on_by_a_start_and_left_alone_by_a_stop() {
    let host = made().device("/dev/md/data", MIB);
    case(&host)
        .status()
        .is(State::Down)
        .mentions("/dev/md/data is assembled already, but not by this resource: start takes it on")
        .stop()
        .is_unchanged("/dev/md/data is already down")
        .start()
        .is_unchanged("took on /dev/md/data, which was assembled already")
        .status()
        .is(State::Up)
        .stop()
        .is_changed("/dev/md/data is down")
        .status()
        .is(State::Down)
        .is_silent();
}

#[test]
fn what_start_assembled_is_stopped_whatever_the_keywords_say_by_then() {
    let host = made();
    case(&host).start();
    let renamed = SoftwareRaid { name: "other".to_owned(), ..md(Some(OTHER)) };
    given(renamed)
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("/dev/md/data is up: name applies at the next start")
        .exposes("device", "/dev/md/data")
        .stop()
        .is_changed("/dev/md/data is down")
        .status()
        .is(State::Down)
        .is_silent();
    assert!(!host.has_file("/dev/md/data"));
}

#[test]
fn an_array_that_waits_for_devices_is_assembled_again() {
    let (host, _) = node_in("inactive");
    let host = host.device("/dev/md/data", MIB);
    case(&host)
        .status()
        .is(State::Down)
        .mentions("is assembled already")
        .start()
        .is_changed("/dev/md/data is up")
        .status()
        .is(State::Up);
}

#[test]
fn an_array_in_use_stays_up() {
    let host = made().busy("/dev/md/data");
    case(&host).start().stop().fails_with("Cannot get exclusive access").status().is(State::Up);
}

#[test]
fn provision_makes_it_remembers_it_and_unprovision_clears_the_devices() {
    let host = node();
    case(&host)
        .status()
        .is_provisioned(false)
        .provision()
        .is_changed("made /dev/md/data of /dev/sdb /dev/sdc")
        .provision()
        .is_unchanged("/dev/md/data already exists")
        .stop()
        .status()
        .is_provisioned(true)
        .unprovision()
        .is_changed("cleared /dev/sdb /dev/sdc")
        .unprovision()
        .is_unchanged("/dev/md/data does not exist")
        .status()
        .is_provisioned(false);
    let log = format!("to name the array on other nodes too: uuid = {NEW}");
    assert!(host.log().iter().any(|line| line.text == log), "{:?}", host.log());
}

#[test]
fn how_it_is_made_is_handed_on() {
    let host = node();
    let chunk = Some(Size::bytes(512 << 10));
    let md = SoftwareRaid { level: "raid0".to_owned(), spares: 1, chunk, bitmap: Some("none".to_owned()), ..md(None) };
    given(md).on(&host).provision();
    let calls = host.calls();
    let made =
        calls.iter().find_map(|call| call.strip_prefix("process.run /sbin/mdadm --create /dev/md/data --run --uuid "));
    let rest =
        "--metadata 1.2 --level raid0 --raid-devices 1 --spare-devices 1 --chunk 512K --bitmap none /dev/sdb /dev/sdc";
    assert_eq!(made.unwrap().split_once(' ').unwrap().1, rest);
}

#[test]
fn provision_writes_on_no_device_that_holds_something() {
    for held in ["ext4", "linux_raid_member"] {
        let host = node().signature("/dev/sdc", held);
        case(&host).provision().fails_with(&format!("/dev/sdc holds {held}: it is not overwritten"));
        assert!(!host.calls().iter().any(|call| call.contains("--create")));
    }
}

#[test]
fn an_array_is_unknown_where_its_devices_are_missing() {
    let host = Host::new().device("/dev/sdb", MIB).program("/sbin/mdadm", 0, "");
    case(&host)
        .status()
        .is(State::Down)
        .is_provisioned_as(Provisioned::Unknown)
        .unprovision()
        .fails_with("the devices of /dev/md/data are not all here");
}

#[test]
fn devices_of_another_array_are_not_cleared() {
    given(md(Some(OTHER))).on(&made()).unprovision().fails_with("not to bbb9d530");
}

#[test]
fn without_mdadm_nothing_is_known() {
    let host = Host::new().device("/dev/md/data", MIB).device("/dev/sdb", MIB).device("/dev/sdc", MIB);
    case(&host).status().is(State::Undefined).mentions("comes with the package mdadm");
}

#[test]
fn keywords_of_an_impossible_array_are_a_problem() {
    let host = node();
    given(md(None)).on(&host).validate().finds(&[]);
    let wrong = SoftwareRaid { name: "a/b".to_owned(), devs: Vec::new(), spares: 1, ..md(None) };
    given(wrong).on(&host).validate().finds(&[
        ("name", "\"a/b\" is not a name for an array: expected at most 32 of a-z, A-Z, 0-9, _ . -"),
        ("devs", "neither devs nor uuid is set"),
        ("spares", "1 spares of 0 devices leave none to hold data"),
    ]);
}
