//! A ledger that is cut, garbled or of another version never says less than it did, without saying so.

use hostler_holding::{
    AddressHolding, FileIdentity, Holding, HoldingRecord, HoldingStage, LedgerContent, LedgerEvent, LedgerHeader,
    LoopHolding, MountHolding, MountIdentity, MountSight, NamespaceIdentity, PreparedMount, VERSION, encode_event,
    encode_header, replay,
};

fn mount(target: &str, made: Option<MountIdentity>) -> MountHolding {
    MountHolding { source: "/dev/loop3".into(), target: target.into(), fstype: "ext4".into(), prepared: None, made }
}

fn identity() -> MountIdentity {
    MountIdentity {
        id: 77,
        unique: Some(4_294_967_400),
        device: (7, 3),
        root: "/".into(),
        superblock: None,
        below: None,
        backing: None,
    }
}

fn device() -> Holding {
    let backing = FileIdentity { device: (8, 1), inode: 42 };
    LoopHolding { file: "/srv/a.img".into(), backing, device: Some("/dev/loop3".into()), sequence: Some(82) }.into()
}

fn events() -> Vec<LedgerEvent> {
    let rid = |rid: &str| rid.to_owned();
    vec![
        LedgerEvent::Intended { number: 1, rid: rid("disk#1"), holding: device() },
        LedgerEvent::Held { number: 1, holding: device() },
        LedgerEvent::Intended { number: 2, rid: rid("fs#1"), holding: mount("/srv/web", None).into() },
        LedgerEvent::Held { number: 2, holding: mount("/srv/wéb", Some(identity())).into() },
        LedgerEvent::Intended { number: 3, rid: rid("fs#2"), holding: mount("/srv/b", None).into() },
        LedgerEvent::Undone { number: 3 },
        LedgerEvent::LetGo { number: 3 },
        LedgerEvent::Left { number: 3 },
        LedgerEvent::Released { number: 3 },
    ]
}

fn lines() -> Vec<String> {
    let header = LedgerHeader { ledger: VERSION, boot: Some("boot-1".into()), next: 1, ..LedgerHeader::default() };
    std::iter::once(encode_header(&header)).chain(events().iter().map(encode_event)).collect()
}

fn held(content: &LedgerContent) -> Vec<(u64, HoldingStage)> {
    content.records.iter().map(|record| (record.number, record.stage)).collect()
}

#[test]
fn a_whole_ledger_says_what_is_held_with_what_identifies_it() {
    let content = replay(lines().concat().as_bytes());
    assert_eq!((content.boot.as_deref(), content.next, &content.damage), (Some("boot-1"), 4, &None));
    assert_eq!(held(&content), [(1, HoldingStage::Held), (2, HoldingStage::Held)]);
    let HoldingRecord { rid, holding, .. } = &content.records[1];
    assert_eq!((rid.as_str(), holding.to_string().as_str()), ("fs#1", "ext4 of /dev/loop3 on /srv/wéb"));
    assert_eq!(content.records[1].id(), "boot.2");
}

#[test]
fn a_ledger_that_is_cut_anywhere_but_between_lines_is_damaged() {
    let lines = lines();
    let whole = lines.concat();
    let ends: Vec<usize> = lines
        .iter()
        .scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        })
        .collect();
    for length in 0..whole.len() {
        let content = replay(&whole.as_bytes()[..length]);
        assert_eq!(content.damage.is_none(), ends.contains(&length), "cut after {length} bytes");
    }
}

#[test]
fn a_ledger_with_any_byte_changed_is_damaged_and_its_other_lines_count() {
    let whole = lines().concat().into_bytes();
    for at in 0..whole.len() {
        let mut garbled = whole.clone();
        garbled[at] ^= 1;
        let content = replay(&garbled);
        assert!(content.damage.is_some(), "byte {at} of {}", String::from_utf8_lossy(&whole));
        // One line at most is lost, or two that became one: each holding has two lines of its own.
        assert!(!content.records.is_empty(), "byte {at}");
    }
}

#[test]
fn nothing_is_believed_of_another_version_or_of_something_else() {
    let header = LedgerHeader { ledger: VERSION + 1, boot: None, next: 1, ..LedgerHeader::default() };
    let newer = encode_header(&header) + &lines()[1..].concat();
    for (text, why) in [
        (newer.as_str(), "line 1: it is of version 2, and this agent knows version 1"),
        ("", "line 1: it is empty"),
        ("\n", "line 1: it has no checksum"),
        ("[mount]\n", "line 1: it has no checksum"),
        ("\u{0}\u{0}\u{0}", "line 1: it is cut off"),
    ] {
        let content = replay(text.as_bytes());
        assert_eq!(content.damage.as_ref().map(ToString::to_string).as_deref(), Some(why));
        assert_eq!(content.records, [], "{text:?}");
    }
}

/// The first file system of a loop device, where it was mounted.
const SEEN: MountSight<'static> = MountSight {
    id: 77,
    device: (7, 3),
    root: "/",
    target: "/srv/web",
    fstype: "ext4",
    source: "/dev/loop3",
    unique: None,
    superblock: None,
};

#[test]
fn a_mount_is_known_by_its_numbers_wherever_it_is_by_now() {
    let held = mount("/srv/web", Some(identity()));
    let seen = SEEN;
    assert!(held.is(seen) && held.is(MountSight { target: "/srv/moved", source: "/dev/disk", ..seen }));
    // The number is used again after an unmount.
    assert!(!held.is(MountSight { device: (7, 4), ..seen }) && !held.is(MountSight { id: 78, ..seen }));
    let signed = mount("/srv/web", Some(MountIdentity { unique: Some(900), ..identity() }));
    assert!(signed.is(seen) && signed.is(MountSight { unique: Some(900), ..seen }));
    assert!(!signed.is(MountSight { unique: Some(901), ..seen }));
    // Renamed since, and told by the number that is never used again; without it that is not known.
    let renamed = MountSight { root: "/web.old", ..seen };
    assert!(signed.is(MountSight { unique: Some(900), ..renamed }) && !held.is(renamed));
    // A second mount of the device, elsewhere or in another namespace, still uses the file system.
    assert!(held.is_used_by(MountSight { id: 90, target: "/mnt/other", ..seen }));
    let bind = MountHolding { fstype: "bind".into(), ..held.clone() };
    assert!(!bind.is_used_by(MountSight { id: 90, target: "/mnt/other", ..seen }));
    assert!(bind.is_used_by(MountSight { id: 90, ..seen }));
}

#[test]
fn a_mount_that_was_only_intended_claims_nothing_by_what_was_asked() {
    let intended = mount("/srv/web", None);
    let seen = MountSight { id: 5, ..SEEN };
    assert!(!intended.is(seen));
}

#[test]
fn an_address_is_known_by_the_number_of_its_link() {
    let address = |index, dev: &str| -> Holding {
        AddressHolding {
            netns: None,
            index,
            dev: dev.into(),
            cidr: "10.0.0.9/24".into(),
            primary: None,
            protocol: None,
        }
        .into()
    };
    assert!(address(4, "eth0").is_same(&address(4, "lan0")));
    assert!(!address(4, "eth0").is_same(&address(5, "eth0")));
}

#[test]
fn an_address_that_was_only_intended_is_known_by_its_maker() {
    let address = |protocol| AddressHolding {
        netns: None,
        index: 4,
        dev: "eth0".into(),
        cidr: "10.0.0.9/24".into(),
        primary: None,
        protocol,
    };
    for (own, maker, expected) in [
        (Some(72), Some(72), Some(true)),
        (Some(72), None, Some(false)),
        (Some(72), Some(3), Some(false)),
        // Before Linux 5.18 nothing tells.
        (None, None, None),
    ] {
        assert_eq!(address(own).is_made_by(HoldingStage::Intended, maker), expected, "{own:?} {maker:?}");
        assert_eq!(address(own).is_made_by(HoldingStage::Held, maker), Some(true));
    }
}

#[test]
fn a_namespace_is_not_another_one_that_got_its_inode() {
    let namespace = |inode, cookie| NamespaceIdentity { path: "/run/netns/a".into(), device: 4, inode, cookie };
    assert!(namespace(7, Some(1)).is(&NamespaceIdentity { path: "/run/netns/b".into(), ..namespace(7, Some(1)) }));
    assert!(namespace(7, None).is(&namespace(7, Some(1))));
    assert!(!namespace(7, Some(2)).is(&namespace(7, Some(1))) && !namespace(8, Some(1)).is(&namespace(7, Some(1))));
}

#[test]
fn a_device_number_that_the_kernel_has_made_up_proves_nothing_alone() {
    let made = MountIdentity { device: (0, 57), ..identity() };
    let seen = MountSight {
        id: 90,
        device: (0, 57),
        root: "/",
        target: "/mnt/x",
        fstype: "tmpfs",
        source: "none",
        unique: None,
        superblock: None,
    };
    let tmpfs = MountHolding { source: "none".into(), fstype: "tmpfs".into(), ..mount("/srv/web", Some(made.clone())) };
    // Somebody else's next file system has the number by now; a copy in another namespace is at the same place.
    assert!(!tmpfs.is_used_by(seen) && tmpfs.is_used_by(MountSight { target: "/srv/web", ..seen }));
    // Where the kernel tells them apart, the place does not matter, and what cannot be looked at is not known to be another one.
    let made_here = MountIdentity { superblock: Some("a".into()), ..made.clone() };
    let known = MountHolding { made: Some(made_here), ..tmpfs.clone() };
    assert!(known.is_used_by(MountSight { superblock: Some("a"), ..seen }) && known.is_used_by(seen));
    assert!(!known.is_used_by(MountSight { superblock: Some("b"), target: "/srv/web", ..seen }));
    assert!(!known.is(MountSight { superblock: Some("b"), id: 77, target: "/srv/web", ..seen }));
    let btrfs = MountHolding { fstype: "btrfs".into(), ..mount("/srv/web", Some(made)) };
    assert!(!btrfs.is_used_by(seen));
    assert!(btrfs.is_used_by(MountSight { fstype: "btrfs", source: "/dev/loop3", ..seen }));
}

#[test]
fn a_mount_that_was_only_intended_is_the_very_one_or_none() {
    let seen = MountSight { unique: Some(4_294_967_400), ..SEEN };
    // Nothing was made yet: what is on the same place is another program's.
    let intended = mount("/srv/web", None);
    assert!(!intended.is(seen) && !intended.is_used_by(seen) && !intended.may_be(77, (7, 3)));
    let prepared = PreparedMount { id: 77, unique: seen.unique, superblock: None };
    let known = MountHolding { prepared: Some(prepared.clone()), ..intended.clone() };
    assert!(known.is(seen) && known.may_be(77, (7, 3)));
    // The kernel uses the first number again, and never the second one.
    assert!(!known.is(MountSight { unique: Some(4_294_967_401), ..seen }));
    // Before Linux 6.8 all that was asked for must be the same.
    let old = MountHolding { prepared: Some(PreparedMount { unique: None, ..prepared }), ..intended };
    assert!(old.is(seen) && !old.is(MountSight { id: 78, ..seen }) && !old.is(MountSight { target: "/srv/b", ..seen }));
    let tmpfs = MountSight { superblock: Some("b"), ..seen };
    let signed = PreparedMount { id: 77, unique: None, superblock: Some("a".into()) };
    assert!(!MountHolding { prepared: Some(signed), ..old }.is(tmpfs));
}
