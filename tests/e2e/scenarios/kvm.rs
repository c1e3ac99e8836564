//! Virtual machines: a guest without a system, which stays in its firmware and reacts to nothing, and one that heeds the
//! power button.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::guest::{Guest, beats};
use crate::libvirt::Libvirt;
use crate::world::{World, until};

crate::trials!(
    a_virtual_machine_is_defined_booted_and_unplugged,
    a_guest_that_heeds_the_power_button_shuts_down_by_itself,
    a_guest_that_boots_is_asked_again,
    a_guest_goes_on_from_its_saved_memory,
    a_libvirt_that_hangs_keeps_nobody_waiting,
);

/// An emulated machine. Its serial number names the world, so that one which is left behind is found.
const DOMAIN: &str = "<domain type='qemu'>
  <!-- <name>another</name> -->
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <sysinfo type='smbios'><system><entry name='serial'>{w}</entry></system></sysinfo>
  <os><type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/></os>
  <features><acpi/></features>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>
";

fn a_virtual_machine_is_defined_booted_and_unplugged(world: &World) {
    if let Some(missing) = Libvirt::missing() {
        println!("kvm: skipped: there is no {missing}");
        return;
    }
    let libvirt = Libvirt::new(world);
    let state = |name| libvirt.virsh(&["domstate", name]).unwrap();
    world.write("web.xml", &world.fill(DOMAIN).replace("{name}", "web"));
    let other = world.write("other.xml", &world.fill(DOMAIN).replace("{name}", "other"));
    libvirt.virsh(&["define", &other.display().to_string()]).unwrap();
    let sections = "[container#1]\ntype = kvm\nname = web\nxml = {w}/web.xml\ngrace = 1s\nuri = ";
    world.create("web", &format!("{sections}{}\n", libvirt.uri));
    world.is("web", "down");
    world.om("web provision").ok().says("defined web from");
    assert_eq!((libvirt.domains(), state("web")), (vec!["other".to_owned(), "web".to_owned()], "running".to_owned()));
    world.is("web", "up");
    world.om("web start").ok().does_not_say("web runs");
    libvirt.virsh(&["suspend", "web"]).unwrap();
    world.is("web", "warn");
    world.om("web start").ok();
    assert_eq!(state("web"), "running", "a paused machine was not resumed");
    world.om("web stop").ok().says("has not shut down within 1s: it is powered off");
    assert_eq!(state("web"), "shut off");
    world.is("web", "down");
    world.om("web start").ok().says("web runs");
    assert_eq!(state("web"), "running");
    world.om("web unprovision --confirm").ok();
    assert_eq!((libvirt.domains(), state("other")), (vec!["other".to_owned()], "shut off".to_owned()));
    world
        .om("web set --kw container#1.xml={w}/other.xml"
            .replace("{w}", &world.directory().display().to_string())
            .as_str())
        .ok();
    world.om("web provision").ends(1).says("describes \"other\", not \"web\"");
    drop(libvirt);
    world.om("web print status --refresh").says("Failed to connect");
}

fn a_guest_that_heeds_the_power_button_shuts_down_by_itself(world: &World) {
    if let Some(missing) = Libvirt::missing().or(Guest::missing()) {
        println!("kvm: skipped: there is no {missing}");
        return;
    }
    let guest = Guest::get().unwrap();
    let libvirt = Libvirt::new(world);
    world.write("web.xml", &guest.domain(world, "web", "console"));
    let sections = "[container#1]\ntype = kvm\nname = web\nxml = {w}/web.xml\ngrace = 2m\nuri = ";
    world.create("web", &format!("{sections}{}\n", libvirt.uri));
    world.om("web provision").ok();
    until("the guest is up", || !beats(&world.read("console")).is_empty());
    world.om("web stop").ok().says("web has shut down").does_not_say("powered off").does_not_say(" destroy -- web");
    let console = world.read("console");
    assert!(console.contains("power button") && console.contains("Power down"), "{console}");
    assert_eq!(libvirt.state("web"), "shut off");
    // The same with a paused guest: it must be resumed to notice the power button.
    world.om("web start").ok();
    let boots =
        || beats(&world.read("console")).into_iter().map(|beat| beat.boot).collect::<std::collections::BTreeSet<_>>();
    until("the guest is up again", || boots().len() == 2);
    libvirt.virsh(&["suspend", "web"]).unwrap();
    world.om("web stop").ok().says("web has shut down").does_not_say("powered off");
    world.om("web unprovision --confirm").ok();
}

/// A guest that heeds the power button once it has booted, in a libvirt.
fn willing_guest(world: &World) -> Option<Libvirt> {
    if let Some(missing) = Libvirt::missing().or(Guest::missing()) {
        println!("kvm: skipped: there is no {missing}");
        return None;
    }
    let guest = Guest::get().unwrap();
    let libvirt = Libvirt::new(world);
    world.write("web.xml", &guest.domain(world, "web", "console"));
    let sections = "[container#1]\ntype = kvm\nname = web\nxml = {w}/web.xml\ngrace = 2m\nuri = ";
    world.create("web", &format!("{sections}{}\n", libvirt.uri));
    Some(libvirt)
}

/// Its firmware does not hear the first request.
fn a_guest_that_boots_is_asked_again(world: &World) {
    let Some(libvirt) = willing_guest(world) else { return };
    world.om("web provision").ok();
    world.om("web stop").ok().says("web has shut down").does_not_say("powered off");
    assert_eq!(libvirt.state("web"), "shut off");
    world.om("web unprovision --confirm").ok();
}

fn a_guest_goes_on_from_its_saved_memory(world: &World) {
    let Some(libvirt) = willing_guest(world) else { return };
    world.om("web provision").ok();
    until("the guest is up", || !beats(&world.read("console")).is_empty());
    let boots =
        || beats(&world.read("console")).into_iter().map(|beat| beat.boot).collect::<std::collections::BTreeSet<_>>();
    // A guest that was suspended before comes back suspended, in a state that looks like that of a migration.
    libvirt.virsh(&["suspend", "web"]).unwrap();
    libvirt.virsh(&["managedsave", "web"]).unwrap();
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web print status").says("its memory is saved: a start goes on where it was");
    world.om("web start").ok();
    assert_eq!((libvirt.state("web"), world.states("web")), ("running".to_owned(), "container#1 up".to_owned()));
    let seen = beats(&world.read("console")).len();
    until("the guest goes on", || beats(&world.read("console")).len() > seen);
    assert_eq!(boots().len(), 1, "it was not booted anew");
    world.om("web stop").ok().says("web has shut down").does_not_say("powered off");
    world.om("web start").ok();
    libvirt.virsh(&["managedsave", "web"]).unwrap();
    world.om("web unprovision --confirm").ok();
    assert_eq!(libvirt.domains(), [""; 0]);
}

fn a_libvirt_that_hangs_keeps_nobody_waiting(world: &World) {
    let Some(libvirt) = willing_guest(world) else { return };
    world.om("web provision").ok();
    libvirt.freeze();
    let since = Instant::now();
    assert_eq!(world.states("web"), "container#1 undef");
    world.om("web print status").says("libvirt does not answer");
    assert!(since.elapsed() < Duration::from_secs(25), "{:?}", since.elapsed());
    let stop = world.spawn("web stop");
    until("the stop has begun", || {
        crate::leaks::processes(world.directory()).iter().any(|(_, line)| line.contains("virsh"))
    });
    let since = Instant::now();
    kill(Pid::from_raw(stop.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    stop.wait_with_output().unwrap();
    assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());
    libvirt.thaw();
    world.om("web unprovision --confirm").ok();
}
