//! The life of a replicated device on a DRBD 8 in memory.

use std::cell::RefCell;
use std::rc::Rc;

use hostler_sdk::fake::{Case, Host, MIB, ProgramRun, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

/// The roles of the two nodes, seen from here.
#[derive(Clone, Default)]
struct World {
    loaded: bool,
    metadata: bool,
    configured: bool,
    primary: bool,
    disk: &'static str,
    /// Role and disk of the peer, if it is there.
    peer: Option<(&'static str, &'static str)>,
    stands_alone: bool,
}

impl World {
    fn status(&self) -> String {
        let own = if self.primary { "Primary" } else { "Secondary" };
        let peer = match self.peer {
            _ if self.stands_alone => String::new(),
            None => "peer connection:Connecting".to_owned(),
            Some((role, disk)) => format!("peer role:{role}\n    replication:Established peer-disk:{disk}"),
        };
        format!("r0 role:{own}\n  disk:{}\n  {peer}\n", self.disk)
    }
}

type Shared = Rc<RefCell<World>>;

fn done(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
}

fn show(world: &World, host: &Host) {
    if world.loaded {
        let _ = host.clone().text_file(PROC, "version: 8.4.11 (api:1/proto:86-101)\n");
    }
}

fn drbdadm(shared: &Shared, run: &ProgramRun<'_>) -> Output {
    let mut world = shared.borrow_mut();
    let words: Vec<&str> = run.args.iter().map(String::as_str).collect();
    match words[..] {
        ["status", "r0"] if world.configured => return done(0, &world.status(), ""),
        ["status", "r0"] => return done(10, "", "r0: No such resource"),
        ["status", _] => return done(1, "", "'r9' not defined in your config (for this host)."),
        ["dump-md", _] if !world.metadata => return done(255, "", "No valid meta data found"),
        ["create-md", _] => (world.metadata, world.disk) = (true, "Inconsistent"),
        ["up", _] if !world.metadata => return done(1, "", "No valid meta data found"),
        ["up", _] => world.configured = true,
        ["down", _] => (world.configured, world.primary) = (false, false),
        ["primary", "--force", _] => (world.primary, world.disk) = (true, "UpToDate"),
        ["primary", _] => world.primary = true,
        ["secondary", _] => world.primary = false,
        ["--", "--force", "wipe-md", _] => world.metadata = false,
        _ => {}
    }
    show(&world, run.host);
    done(0, "", "")
}

fn node(world: World) -> (Host, Shared) {
    let shared = Rc::new(RefCell::new(world.clone()));
    let host = Host::new().device("/dev/drbd/by-res/r0/0", 64 * MIB);
    show(&world, &host);
    let (tool, module) = (shared.clone(), shared.clone());
    let host = host.program_with(DRBDADM, move |run| drbdadm(&tool, run));
    let host = host.program_with("/sbin/modprobe", move |run| {
        module.borrow_mut().loaded = true;
        show(&module.borrow(), run.host);
        done(0, "", "")
    });
    (host, shared)
}

/// Configured, with good data, and a peer that is well.
fn replicated() -> World {
    World {
        loaded: true,
        metadata: true,
        configured: true,
        disk: "UpToDate",
        peer: Some(("Secondary", "UpToDate")),
        ..World::default()
    }
}

fn drbd() -> ReplicatedDevice {
    ReplicatedDevice { res: "r0".to_owned(), connect_timeout: Duration::from_secs(10) }
}

fn case(host: &Host) -> Case<ReplicatedDevice> {
    given(drbd()).on(host)
}

#[test]
fn start_promotes_and_stop_demotes_and_goes_on_replicating() {
    let (host, world) = node(replicated());
    case(&host)
        .status()
        .is(State::Down)
        .is_provisioned(true)
        .is_silent()
        .start()
        .is_changed("r0 is primary")
        .start()
        .is_unchanged("r0 is already primary")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("drbd r0")
        .exposes("device", "/dev/drbd/by-res/r0/0")
        .stop()
        .is_changed("r0 is secondary, and is still replicated")
        .stop()
        .is_unchanged("r0 is not primary")
        .status()
        .is(State::Down);
    assert!(world.borrow().configured);
}

#[test]
fn after_a_reboot_start_loads_joins_and_promotes() {
    let (host, _) = node(World { loaded: false, configured: false, ..replicated() });
    case(&host)
        .status()
        .is(State::Down)
        .is_provisioned_as(Provisioned::Unknown)
        .mentions("not configured in the kernel")
        .start()
        .is_changed("r0 is primary")
        .status()
        .is(State::Up);
    let runs: Vec<String> = host.calls().into_iter().filter(|call| call.contains("modprobe")).collect();
    assert_eq!(runs, ["process.run /sbin/modprobe -- drbd"]);
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    let rebooted = || World { loaded: false, configured: false, ..replicated() };
    assert!(stop_undoes_any_failed_start(|| case(&node(rebooted()).0)) >= 3);
}

#[test]
fn a_node_is_not_promoted_beside_a_primary_or_without_good_data() {
    let (host, world) = node(World { peer: Some(("Primary", "UpToDate")), ..replicated() });
    case(&host).start().fails_with("the peer of r0 is primary: stop the service there first");
    let (other, _) = node(World { disk: "Inconsistent", peer: None, ..replicated() });
    case(&other).start().fails_with("no node has good data of r0 yet (Inconsistent/DUnknown): provision on the node");
    assert!(!world.borrow().primary);
}

#[test]
fn a_peer_that_is_away_is_waited_for_and_then_done_without() {
    let (host, _) = node(World { peer: None, ..replicated() });
    case(&host)
        .status()
        .is(State::Down)
        .mentions("the peer is not connected (WFConnection)")
        .start()
        .is_changed("r0 is primary")
        .status()
        .is(State::Warn)
        .mentions("the peer is not connected (WFConnection)");
    let waits = host.calls().iter().filter(|call| call.starts_with("clock.sleep")).count();
    assert_eq!(waits, 20);
}

#[test]
fn a_split_brain_says_what_to_do() {
    let (host, world) = node(replicated());
    case(&host).start();
    world.borrow_mut().stands_alone = true;
    case(&host)
        .status()
        .is(State::Warn)
        .mentions("drbdadm -- --discard-my-data connect r0; on the other: drbdadm connect r0");
}

#[test]
fn a_node_that_stands_alone_is_promoted_only_by_force() {
    let alone = || World { stands_alone: true, ..replicated() };
    let (host, world) = node(alone());
    case(&host)
        .start()
        .fails_with("r0 stands alone, as after a split brain: the peer may be primary, with other data; on the node")
        .start()
        .fails_with("drbdadm connect r0; or take what is here with --force")
        .status()
        .is(State::Down);
    assert!(!world.borrow().primary);
    let (host, world) = node(alone());
    given(drbd()).with(Context::fake("disk#1").with("force", "true")).on(&host).start().is_changed("r0 is primary");
    assert!(world.borrow().primary);
    assert!(host.log().iter().any(|line| line.text.ends_with("it is forced to go on")), "{:?}", host.log());
}

#[test]
fn a_node_that_stands_alone_makes_no_first_copy() {
    let (host, world) = node(World { disk: "Inconsistent", stands_alone: true, ..replicated() });
    case(&host).provision().is_unchanged("r0 was joined already");
    assert_eq!(world.borrow().disk, "Inconsistent");
}

#[test]
fn a_primary_that_stands_alone_is_left_as_it_is() {
    let (host, world) = node(replicated());
    case(&host).start();
    world.borrow_mut().stands_alone = true;
    case(&host).start().is_unchanged("r0 is already primary");
}

#[test]
fn a_role_that_somebody_else_took_is_left_alone_until_it_is_adopted() {
    let (host, world) = node(World { primary: true, ..replicated() });
    case(&host)
        .status()
        .is(State::Down)
        .mentions("r0 is primary already, but not by this resource")
        .start()
        .fails_with("start --local --adopt takes it on")
        .stop()
        .is_unchanged("r0 is not primary");
    assert!(world.borrow().primary);
    let adopting = given(drbd()).with(Context::fake("disk#1").with("adopt", "true")).on(&host);
    adopting.start().is_unchanged("took on the primary role of r0").status().is(State::Up);
    case(&host).stop().is_changed("r0 is secondary, and is still replicated");
}

#[test]
fn what_start_promoted_is_demoted_whatever_the_keyword_says_by_then() {
    let (host, world) = node(replicated());
    case(&host).start();
    given(ReplicatedDevice { res: "r1".to_owned(), ..drbd() })
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("r0 is primary: res applies at the next start")
        .start()
        .fails_with("a restart changes it")
        .stop()
        .is_changed("r0 is secondary, and is still replicated")
        .status();
    assert!(!world.borrow().primary);
}

#[test]
fn the_first_node_joins_and_the_second_becomes_the_first_copy() {
    let (host, _) = node(World::default());
    case(&host).provision().is_changed("joined r0").start().fails_with("no node has good data");
    let (host, world) = node(World { peer: Some(("Secondary", "Inconsistent")), ..World::default() });
    case(&host)
        .provision()
        .is_changed("r0 has its first copy here")
        .start()
        .is_unchanged("r0 is already primary")
        .provision()
        .is_unchanged("r0 was joined already")
        .status()
        .is(State::Warn)
        .mentions("the data of the peer are Inconsistent");
    assert!(world.borrow().metadata);
}

#[test]
fn a_node_that_joins_a_good_copy_makes_none() {
    let (host, world) = node(World { peer: Some(("Primary", "UpToDate")), ..World::default() });
    case(&host).provision().is_changed("joined r0").start().fails_with("the peer of r0 is primary");
    assert_eq!(world.borrow().disk, "Inconsistent");
}

#[test]
fn unprovision_leaves_and_wipes_the_metadata() {
    let (host, world) = node(replicated());
    case(&host)
        .unprovision()
        .is_changed("left r0, its metadata are wiped")
        .unprovision()
        .is_unchanged("r0 was left already");
    assert!(!world.borrow().metadata && !world.borrow().configured);
}

#[test]
fn names_that_stand_for_the_resources_of_others_are_refused() {
    let named = |res: &str| {
        given(ReplicatedDevice { res: res.to_owned(), connect_timeout: Duration::ZERO }).on(&node(replicated()).0)
    };
    named("all")
        .validate()
        .finds(&[("res", "\"all\" is not the name of a resource in /etc/drbd.d")])
        .start()
        .fails_with("res:");
    named("minor-0").unprovision().fails_with("is not the name of a resource");
    named("r9").status().is(State::Undefined).mentions("r9 is not defined in /etc/drbd.d");
}
