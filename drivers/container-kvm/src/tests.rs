//! The life of a domain on a libvirt in memory.

use std::cell::RefCell;
use std::rc::Rc;

use hostler_sdk::fake::{Case, Host, ProgramRun, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

const XML: &str = "<domain type='kvm'>\n  <!-- <name>other</name> -->\n  <name>web</name>\n</domain>\n";

/// A libvirt that knows at most the domain `web`, and how its guest behaves.
#[derive(Clone, Default)]
struct Libvirt {
    state: Rc<RefCell<Option<String>>>,
    is_deaf: bool,
    is_transient: bool,
    is_eager: bool,
    /// Why libvirt has paused the guest.
    reason: &'static str,
    /// Whether the memory of the guest is saved.
    is_saved: bool,
    /// How many requests to shut down libvirt refuses, and how many the guest does not hear.
    refusals: Rc<RefCell<(u32, u32)>>,
    /// How migrations end: without an error, or with one that leaves the guest in a state.
    refusal: Option<(&'static str, &'static str)>,
}

impl Libvirt {
    fn with(state: &str) -> Libvirt {
        Libvirt { state: Rc::new(RefCell::new(Some(state.to_owned()))), ..Libvirt::default() }
    }

    fn host(&self) -> Host {
        let libvirt = self.clone();
        Host::new().text_file("/srv/web.xml", XML).program_with(domain::VIRSH, move |run| libvirt.virsh(run))
    }

    fn virsh(&self, run: &ProgramRun<'_>) -> Output {
        let verb = run.args.iter().find(|arg| !arg.starts_with('-') && !arg.contains(':')).unwrap();
        let state = self.state.borrow().clone();
        let becomes = |state: Option<&str>| {
            *self.state.borrow_mut() = state.map(str::to_owned);
            done("")
        };
        match (verb.as_str(), state.as_deref()) {
            ("list", state) => done(&format!("other\n{}\n\n", state.map_or("", |_| "web"))),
            ("dominfo", Some(state)) => self.dominfo(state),
            ("domstate", Some(state)) => done(&format!("{state} ({})\n", self.reason)),
            ("start", Some("shut off")) if self.is_saved => becomes(Some("paused")),
            ("dompmwakeup", Some("pmsuspended")) => becomes(Some("running")),
            ("migrate", Some("running")) => match self.refusal {
                None => becomes(Some("shut off")),
                Some((state, error)) => {
                    becomes(Some(state));
                    Output { status: 1, stderr: format!("\nerror: {error}\n").into(), ..done("") }
                }
            },
            ("define", _) => becomes(Some("shut off")),
            ("start", Some("shut off")) | ("resume", Some("paused")) => becomes(Some("running")),
            ("shutdown", Some("running")) if self.is_deaf => done(""),
            ("shutdown", Some("running")) if self.refusals.borrow().0 > 0 => {
                self.refusals.borrow_mut().0 -= 1;
                Output { status: 1, stderr: "error: cannot acquire state change lock".into(), ..done("") }
            }
            ("shutdown", Some("running")) if self.refusals.borrow().1 > 0 => {
                self.refusals.borrow_mut().1 -= 1;
                done("")
            }
            ("shutdown", Some("running")) => becomes(Some("shut off")),
            ("destroy", Some("running" | "paused" | "crashed" | "pmsuspended")) => becomes(Some("shut off")),
            ("undefine", Some("shut off")) => becomes(None),
            _ => Output { status: 1, stdout: Vec::new(), stderr: "error: not so".into(), truncated: false },
        }
    }

    fn dominfo(&self, state: &str) -> Output {
        let persistent = if self.is_transient { "no" } else { "yes" };
        let saved = if self.is_saved { "yes" } else { "no" };
        let autostart = if self.is_eager { "enable" } else { "disable" };
        done(&format!(
            "Id: 1\nName: web\nState:          {state}\nPersistent:     {persistent}\nAutostart: {autostart}\nManaged save:   {saved}\n"
        ))
    }
}

fn done(stdout: &str) -> Output {
    Output { status: 0, stdout: stdout.into(), stderr: Vec::new(), truncated: false }
}

fn kvm() -> VirtualMachine {
    VirtualMachine {
        name: "web".to_owned(),
        xml: Some("/srv/web.xml".into()),
        uri: "qemu:///system".to_owned(),
        grace: Duration::from_secs(30),
        migration_transport: "ssh".to_owned(),
        migration_bandwidth: None,
        migration_suspend_after: None,
    }
}

fn case(libvirt: &Libvirt) -> Case<VirtualMachine> {
    given(kvm()).on(&libvirt.host())
}

#[test]
fn a_domain_comes_and_goes_once() {
    let host = Libvirt::default().host();
    given(kvm())
        .on(&host)
        .status()
        .is(State::Down)
        .is_provisioned(false)
        .stop()
        .is_unchanged("web is already off")
        .start()
        .fails_with("web is not defined here")
        .provision()
        .is_changed("defined web from /srv/web.xml")
        .provision()
        .is_unchanged("web is already defined")
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .start()
        .is_changed("web runs")
        .start()
        .is_unchanged("web already runs")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("web")
        .unprovision()
        .fails_with("web is not shut off: stop it first")
        .stop()
        .is_changed("web has shut down")
        .unprovision()
        .is_changed("web is no longer defined, its disks are unchanged")
        .unprovision()
        .is_unchanged("web is not defined");
    let runs: Vec<String> = host.calls().into_iter().filter(|call| call.contains("undefine")).collect();
    assert_eq!(runs, ["process.run /usr/bin/virsh -c qemu:///system undefine --nvram --managed-save -- web"]);
}

#[test]
fn a_guest_that_does_not_shut_down_is_powered_off() {
    let deaf = Libvirt { is_deaf: true, ..Libvirt::with("running") };
    case(&deaf).stop().is_changed("web was powered off").status().is(State::Down);
    case(&Libvirt::with("crashed")).stop().is_changed("web was powered off").status().is(State::Down);
}

#[test]
fn a_paused_guest_is_resumed_for_either() {
    let paused = || Libvirt::with("paused");
    case(&paused()).status().is(State::Warn).mentions("paused").start().is_changed("web runs").status().is(State::Up);
    case(&paused()).stop().is_changed("web has shut down");
}

#[test]
fn a_guest_that_sleeps_is_woken_for_either() {
    let asleep = || Libvirt::with("pmsuspended");
    case(&asleep()).status().is(State::Warn).mentions("a start wakes it").start().is_changed("web runs");
    case(&asleep()).stop().is_changed("web has shut down").status().is(State::Down);
}

#[test]
fn a_guest_that_was_saved_while_it_was_paused_goes_on() {
    let saved = Libvirt { is_saved: true, reason: "migrating", ..Libvirt::with("shut off") };
    case(&saved).status().is(State::Down).mentions("its memory is saved").start().is_changed("web runs");
    assert_eq!(saved.state.borrow().as_deref(), Some("running"));
}

#[test]
fn a_request_that_is_refused_or_missed_is_repeated() {
    for refusals in [(2, 0), (0, 2), (1, 1)] {
        let libvirt = Libvirt { refusals: Rc::new(RefCell::new(refusals)), ..Libvirt::with("running") };
        case(&libvirt).stop().is_changed("web has shut down");
    }
    let busy = Libvirt { refusals: Rc::new(RefCell::new((u32::MAX, 0))), ..Libvirt::with("running") };
    let host = busy.host();
    given(kvm()).on(&host).stop().is_changed("web was powered off");
    let log: Vec<String> = host.log().into_iter().map(|line| line.text).collect();
    assert!(log.iter().any(|line| line.contains("cannot acquire state change lock")), "{log:?}");
    let asked = host.calls().into_iter().filter(|call| call.contains(" shutdown ")).count();
    assert!(asked > 20, "{asked}");
}

#[test]
fn a_crashed_guest_is_booted_again() {
    case(&Libvirt::with("crashed")).status().is(State::Warn).mentions("crashed").start().status().is(State::Up);
}

#[test]
fn an_unexpected_state_is_reported() {
    case(&Libvirt::with("in shutdown"))
        .status()
        .is(State::Warn)
        .mentions("in shutdown")
        .start()
        .fails_with("in shutdown");
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    assert!(stop_undoes_any_failed_start(|| case(&Libvirt::with("shut off"))) >= 1);
}

#[test]
fn a_transient_domain_is_not_provisioned() {
    let transient = Libvirt { is_transient: true, ..Libvirt::with("running") };
    case(&transient).status().is(State::Up).is_provisioned(false);
}

#[test]
fn a_domain_that_libvirt_starts_by_itself_is_reported() {
    let eager = Libvirt { is_eager: true, ..Libvirt::with("shut off") };
    case(&eager).status().is(State::Down).mentions("virsh autostart --disable web");
}

#[test]
fn a_libvirt_that_does_not_answer_is_reported() {
    let host = Host::new().program(domain::VIRSH, 1, "error: failed to connect to the hypervisor");
    given(kvm()).on(&host).status().is(State::Undefined).mentions("failed to connect").start().fails_with("connect");
}

#[test]
fn another_domain_is_not_defined() {
    let host = Libvirt::default().host().text_file("/srv/web.xml", "<domain><name>other</name></domain>");
    given(kvm()).on(&host).provision().fails_with("describes \"other\", not \"web\"");
    let without = VirtualMachine { xml: None, ..kvm() };
    given(without).on(&host).provision().fails_with("there is no file to define web from");
}

#[test]
fn an_invalid_name_and_a_libvirt_of_another_node_are_problems() {
    let host = Host::new();
    case(&Libvirt::default()).validate().finds(&[]);
    for name in ["12", "6b6c4a9e-3c2b-4a53-9d56-0a4b1f1d2c3e", "a/b", " a"] {
        let text = format!(
            "{name:?} is not a name for a domain: numbers, UUIDs, slashes and white space at the ends are not allowed"
        );
        given(VirtualMachine { name: name.to_owned(), ..kvm() }).on(&host).validate().finds(&[("name", &text)]);
    }
    for uri in
        ["qemu+ssh://n2/system", "qemu+ext:///system?command=/bin/sh", "qemu+unix:///system?socket=/a&mode=direct"]
    {
        let text = format!("{uri} is not a libvirt of this node: qemu:///system, or qemu+unix:///system?socket=PATH");
        given(VirtualMachine { uri: uri.to_owned(), ..kvm() }).on(&host).validate().finds(&[("uri", &text)]);
    }
}

/// The migrations that were asked for.
fn migrations(host: &Host) -> Vec<String> {
    host.calls().into_iter().filter(|call| call.contains(" migrate ")).collect()
}

#[test]
fn a_guest_that_runs_is_moved_once() {
    let libvirt = Libvirt::with("running");
    let host = libvirt.host();
    given(kvm())
        .on(&host)
        .migrate("n2")
        .is_changed("web runs on n2")
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .migrate("n2")
        .is_unchanged("web does not run here");
    let line =
        "process.run /usr/bin/virsh -c qemu:///system migrate --live --persistent -- web qemu+ssh://n2/system?no_tty=1";
    assert_eq!(migrations(&host), [line]);
}

#[test]
fn the_way_to_the_other_node_is_the_configured_one() {
    let host = Libvirt::with("running").host();
    let second = Duration::from_millis(400);
    let how = VirtualMachine { migration_transport: "tls".to_owned(), migration_suspend_after: Some(second), ..kvm() };
    given(VirtualMachine { migration_bandwidth: Some(100), ..how })
        .on(&host)
        .migrate("n2")
        .is_changed("web runs on n2");
    let options = "--live --persistent --bandwidth 100 --timeout 1 --timeout-suspend";
    let line = format!("process.run /usr/bin/virsh -c qemu:///system migrate {options} -- web qemu+tls://n2/system");
    assert_eq!(migrations(&host), [line]);
}

#[test]
fn a_failed_migration_says_where_the_guest_is() {
    for (state, text) in [
        ("running", "web still runs here: no route to n2"),
        ("paused", "web is paused by the migration here, see whether it runs on n2: no route to n2"),
        ("shut off", "web is shut off here, see whether it runs on n2: no route to n2"),
    ] {
        let libvirt =
            Libvirt { refusal: Some((state, "no route to n2")), reason: "migrating", ..Libvirt::with("running") };
        case(&libvirt).migrate("n2").fails(&Error::failed(text));
    }
}

#[test]
fn a_guest_that_does_not_run_is_not_migrated() {
    case(&Libvirt::default()).migrate("n2").is_unchanged("web does not run here");
    for state in ["paused", "crashed", "in shutdown"] {
        let host = Libvirt::with(state).host();
        given(kvm()).on(&host).migrate("n2").fails_with(&format!("web is {state}: only a guest that runs is migrated"));
        assert!(migrations(&host).is_empty());
    }
}

#[test]
fn a_guest_that_may_run_elsewhere_is_not_resumed() {
    let moving = || Libvirt { reason: "migrating", ..Libvirt::with("paused") };
    case(&moving())
        .status()
        .is(State::Warn)
        .mentions("if web runs nowhere else")
        .start()
        .fails_with("virsh resume web");
    let host = moving().host();
    given(kvm()).on(&host).stop().is_changed("web was powered off").status().is(State::Down);
    assert!(!host.calls().iter().any(|call| call.contains("resume")), "{:?}", host.calls());
}
