//! Copies between nodes, over real ssh: data by sync.rsync, the configuration by the `sync#i0` that every object of several
//! nodes has.

use std::fs;

use crate::cluster::{Cluster, Node};
use crate::world::World;

crate::trials!(
    the_configuration_goes_to_all_nodes_and_its_status_says_whether_they_agree,
    a_newer_configuration_is_not_overwritten,
    data_is_copied_to_its_targets_from_where_the_service_runs,
    a_node_that_is_down_does_not_hold_up_the_others,
    a_copy_that_would_harm_a_target_is_refused,
    an_unmounted_source_deletes_nothing_on_a_target,
    a_snapshot_is_copied_and_gone_afterwards,
    a_subvolume_is_sent_whole_and_then_what_changed,
    no_copy_is_lost_to_a_target_that_was_cut_off_or_to_an_empty_source,
    an_object_of_one_node_copies_its_configuration_nowhere,
    a_copy_of_a_directory_in_use_counts_and_names_no_files,
);

const HEAD: &str = "[DEFAULT]\nnodes = n1 n2\ndrpnodes = n3\n[fs#1]\ntype = flag\n";

/// Creates the object on n1 only.
fn create(world: &World, node: &Node, sections: &str) {
    let file = world.write("web.conf", &world.fill(&format!("{HEAD}{sections}")));
    node.om(world, &format!("web create --config {}", file.display())).ok();
}

fn the_configuration_goes_to_all_nodes_and_its_status_says_whether_they_agree(world: &World) {
    let Some(cluster) = Cluster::new(world, 3) else { return };
    let [n1, n2, n3] = &cluster.nodes[..] else { unreachable!() };
    create(world, n1, "");
    let own = |node: &Node| {
        let resource = node.resource(world, "web", "sync#i0");
        (resource["status"].as_str().unwrap().to_owned(), resource["label"].as_str().unwrap().to_owned())
    };
    let label = "rsync svc config to drpnodes, nodes".to_owned();
    assert_eq!(own(n1), ("down".to_owned(), label.clone()));
    // The service need not run: before the first start, the other nodes know nothing yet.
    n1.om(world, "web sync nodes").ok().says("sync#i0: n2: ");
    assert_eq!(n2.read("root/etc/web.conf"), n1.read("root/etc/web.conf"));
    assert!(!n3.exists("root/etc/web.conf"));
    assert_eq!(own(n1).0, "warn");
    n1.om(world, "web print status").says("n3 never got the configuration: need update");
    n1.om(world, "web sync drp").ok();
    assert_eq!(n3.read("root/etc/web.conf"), n1.read("root/etc/web.conf"));
    n1.om(world, "web sync all").ok().says("sync#i0: n2: already the same").says("sync#i0: n3: already the same");
    for node in [n1, n2, n3] {
        assert_eq!(own(node), ("up".to_owned(), label.clone()), "{}", node.name);
    }
    n1.om(world, "web set --kw app=shop").ok();
    assert_eq!(own(n1).0, "down");
    n1.om(world, "web disable --rid sync#i0").ok();
    assert_eq!(own(n1).0, "n/a");
    n1.om(world, "web enable --rid sync#i0").ok();
    n1.om(world, "web sync all").ok();
    assert_eq!((own(n1).0, own(n2).0, own(n3).0), ("up".to_owned(), "up".to_owned(), "up".to_owned()));
}

fn a_newer_configuration_is_not_overwritten(world: &World) {
    let Some(cluster) = Cluster::new(world, 3) else { return };
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    create(world, n1, "");
    n1.om(world, "web sync nodes").ok();
    n1.om(world, "web set --kw app=old").ok();
    n1.must(&format!("touch --date=2020-01-01 {}", world.path("root/etc/web.conf").display()));
    n2.om(world, "web set --kw app=new").ok();
    n1.om(world, "web sync nodes").ends(1).says("n2: its configuration is another one, and newer: not overwritten");
    assert!(n2.read("root/etc/web.conf").contains("app = new"));
    n1.om(world, "web sync nodes --force").ok();
    assert!(n2.read("root/etc/web.conf").contains("app = old"));
}

fn data_is_copied_to_its_targets_from_where_the_service_runs(world: &World) {
    let Some(cluster) = Cluster::new(world, 3) else { return };
    let [n1, n2, n3] = &cluster.nodes[..] else { unreachable!() };
    let sync = "[sync#1]\ntype = rsync\nsrc = {w}/data/\ndst = {w}/backup/my $x;y data\ntarget = nodes drpnodes local\n\
                dstfs = {w}/backup\nbwlimit = 10000\noptions = --exclude=*.log --sparse\n";
    create(world, n1, sync);
    world.write("data/a b$(x)", "one");
    world.write("data/a.log", "noise");
    let copy = |node: &Node| node.read("backup/my $x;y data/a b$(x)");
    n1.om(world, "web sync all --rid sync#1").ok().says("the service is down here").says("--force");
    assert_eq!(copy(n2), "");
    n1.om(world, "web instance start").ok();
    n1.om(world, "web sync nodes").ok();
    assert_eq!((copy(n1), copy(n2), copy(n3)), (String::new(), "one".to_owned(), String::new()));
    n1.om(world, "web sync drp").ok();
    n1.om(world, "web sync update --target local").ok();
    assert_eq!((copy(n1), copy(n2), copy(n3)), ("one".to_owned(), "one".to_owned(), "one".to_owned()));
    assert!(!n2.exists("backup/my $x;y data/a.log"), "excluded");
    n1.om(world, "web sync all --rid sync#1").ok().says("sync#1: n2: already the same");
    world.write("data/a b$(x)", "two");
    n1.om(world, "web update").ok();
    assert_eq!((copy(n1), copy(n2), copy(n3)), ("two".to_owned(), "two".to_owned(), "two".to_owned()));
    // By now n2 has the configuration, but not the service.
    n2.om(world, "web sync all --rid sync#1").ok().says("the service is down here");
    n1.om(world, "web instance stop").ok();
}

fn a_node_that_is_down_does_not_hold_up_the_others(world: &World) {
    let Some(mut cluster) = Cluster::new(world, 3) else { return };
    cluster.node("n2").fall_silent();
    let [n1, _, n3] = &cluster.nodes[..] else { unreachable!() };
    create(world, n1, "[sync#1]\ntype = rsync\nsrc = {w}/data/\ndst = {w}/backup/data\ntarget = nodes drpnodes\n");
    world.write("data/a", "one");
    n1.om(world, "web instance start").ok();
    let ran = n1.om(world, "web sync all --rid sync#1").ends(1).says("n2: cannot be reached: ssh: connect to host n2");
    let lines = format!("{}{}", ran.stdout, ran.stderr).lines().filter(|line| line.contains("connect to host")).count();
    assert_eq!(lines, 1, "{ran}");
    assert_eq!(n3.read("backup/data/a"), "one");
    cluster.node("n2").listen();
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    n1.om(world, "web sync all --rid sync#1").ok();
    assert_eq!(n2.read("backup/data/a"), "one");
    n1.om(world, "web instance stop").ok();
}

fn a_copy_that_would_harm_a_target_is_refused(world: &World) {
    let Some(cluster) = Cluster::new(world, 3) else { return };
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    create(world, n1, "[sync#1]\ntype = rsync\nsrc = {w}/data/\ndst = {w}/backup/data\ntarget = nodes\n");
    world.write("data/a", "one");
    n1.om(world, "web instance start").ok();
    n1.om(world, "web sync nodes").ok();
    fs::remove_file(world.path("data/a")).unwrap();
    n1.om(world, "web sync nodes").ends(1).says("holds no file, and 1 would be deleted");
    assert_eq!(n2.read("backup/data/a"), "one", "an empty source has emptied a target");
    fs::remove_dir(world.path("data")).unwrap();
    n1.om(world, "web sync nodes").ends(1).says("No such file or directory");
    world.write("data/a", "two");
    n1.om(world, &format!("web set --kw sync#1.dstfs={}", world.path("data").display())).ok();
    n1.om(world, "web sync nodes --rid sync#1").ends(1).says("n2: nothing is mounted on");
    assert_eq!(n2.read("backup/data/a"), "one");
    n1.om(world, "web set --force --kw sync#1.options=--rsync-path=/tmp/x").ok();
    n1.om(world, "web sync nodes --rid sync#1").ends(1).says("--rsync-path=/tmp/x is not allowed");
    n1.om(world, "web instance stop").ok();
}

fn an_unmounted_source_deletes_nothing_on_a_target(world: &World) {
    let Some(cluster) = Cluster::new(world, 2) else { return };
    let [n1, n2] = &cluster.nodes[..] else { unreachable!() };
    let sections = "[sync#1]\ntype = rsync\nsrc = {w}/src/\ndst = {w}/backup/dst\ntarget = nodes local\n\
                    [sync#2]\ntype = rsync\nsrc = {w}/a {w}/b\ndst = {w}/backup/both\ntarget = nodes local\n";
    let file =
        world.write("web.conf", &world.fill(&format!("[DEFAULT]\nnodes = n1 n2\n[fs#1]\ntype = flag\n{sections}")));
    n1.om(world, &format!("web create --config {}", file.display())).ok();
    for name in ["src/data/1", "a/1", "b/1", "b/2", "b/3"] {
        world.write(name, name);
    }
    n1.om(world, "web instance start").ok();
    n1.om(world, "web sync all").ok();
    for name in ["src/data/1", "a/1", "b/1"] {
        fs::remove_file(world.path(name)).unwrap();
    }
    // A source with only directories, or an empty one beside one that has files, was not mounted. Not even --force copies
    // it: an operator needs that for a service that is down, and then nothing is mounted.
    for force in ["", " --force"] {
        let refused = n1.om(world, &format!("web sync all{force}")).ends(1);
        let refused = refused.says(&world.fill("{w}/src/ holds no file, and 1 would be deleted from {w}/backup/dst"));
        refused.says(&world.fill("{w}/a holds no file, and 1 would be deleted from {w}/backup/both: mount it, or"));
    }
    for node in [n1, n2] {
        assert_eq!((node.read("backup/dst/data/1"), node.read("backup/both/a/1")), ("src/data/1".into(), "a/1".into()));
        assert!(node.exists("backup/both/b/1"), "the copy was done by half");
    }
    // A file that is missing among others is named.
    world.write("src/other", "other");
    n1.om(world, &format!("web set --kw sync#1.srcfs={}", world.path("src/data").display())).ok();
    n1.om(world, "web sync all --rid sync#1").ends(1).says("src/data: not copied, because its files would be deleted");
    assert_eq!(n2.read("backup/dst/data/1"), "src/data/1");
    let data = world.path("src/data").display().to_string();
    n1.must(&format!("mount -t tmpfs none {data}"));
    n1.om(world, "web sync all --rid sync#1").ok();
    assert!(n2.exists("backup/dst/other") && !n2.exists("backup/dst/data/1"));
    n1.must(&format!("umount {data}"));
    // Once a source has its files again, files that it lacks are deleted on the target.
    world.write("a/2", "a/2");
    n1.om(world, "web sync all --rid sync#2").ok();
    assert!(n2.exists("backup/both/a/2") && !n2.exists("backup/both/a/1") && !n2.exists("backup/both/b/1"));
    n1.om(world, "web instance stop").ok();
}

fn a_snapshot_is_copied_and_gone_afterwards(world: &World) {
    if !crate::storage::kernel_has("btrfs") {
        return;
    }
    let Some(mut cluster) = Cluster::new(world, 3) else { return };
    let sections = "[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 160m\n\
                    [fs#2]\ntype = btrfs\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n\
                    [sync#1]\ntype = rsync\nsrc = {w}/site/\ndst = {w}/backup/site\ntarget = nodes\nsnap = true\n";
    create(world, cluster.node("n1"), sections);
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    n1.om(world, "web instance provision").ok();
    let site = world.path("site").display().to_string();
    n1.must(&format!("cp /etc/os-release {site}/data"));
    let snapshots = |node: &Node| node.must(&format!("btrfs subvolume list {site}"));
    n1.om(world, "web sync nodes --rid sync#1").ok();
    assert_eq!(n2.read("backup/site/data"), fs::read_to_string("/etc/os-release").unwrap());
    assert!(!n2.exists("backup/site/.hostler-snapshot"));
    assert_eq!(snapshots(n1), "");
    // A snapshot that a killed copy left behind does not get in the way.
    n1.must(&format!("btrfs subvolume snapshot -r {site} {site}/.hostler-snapshot"));
    n1.om(world, "web sync nodes --rid sync#1").ok().says("was left by a copy that did not finish");
    assert_eq!(snapshots(n1), "");
    cluster.node("n2").fall_silent();
    let n1 = &cluster.nodes[0];
    n1.om(world, "web sync nodes --rid sync#1").ends(1).says("n2: cannot be reached");
    assert_eq!(snapshots(n1), "");
    n1.om(world, "web instance unprovision --confirm").ok();
}

/// The number of bytes that a copy sent, according to the log.
pub(crate) fn sent(ran: &crate::ran::Ran, target: &str) -> u64 {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let before = format!("sync#1: {target}: ");
    let number = |line: &str| line.split_once(&before)?.1.strip_suffix(" bytes")?.parse().ok();
    text.lines().find_map(number).unwrap_or_else(|| panic!("nothing sent: {ran}"))
}

/// A site on n1 that is copied to a pool on n1 and n2, all of them on btrfs. Returns their paths.
fn subvolume(world: &World, cluster: &Cluster<'_>) -> (String, String) {
    let pool = world.path("backup/pool").display().to_string();
    for node in &cluster.nodes[..2] {
        node.must(&format!("mkdir {pool}"));
        node.must(&format!("truncate -s 160m {pool}.img"));
        node.must(&format!("mkfs.btrfs -q {pool}.img"));
        node.must(&format!("mount -o loop {pool}.img {pool}"));
    }
    let sections = "[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 160m\n\
                    [fs#2]\ntype = btrfs\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n\
                    [sync#1]\ntype = btrfs\nsrc = {w}/site\ndst = {w}/backup/pool\ntarget = nodes local\n";
    create(world, &cluster.nodes[0], sections);
    cluster.nodes[0].om(world, "web instance provision").ok();
    let site = world.path("site").display().to_string();
    (site, pool)
}

fn a_subvolume_is_sent_whole_and_then_what_changed(world: &World) {
    if !crate::storage::kernel_has("btrfs") {
        return;
    }
    let Some(mut cluster) = Cluster::new(world, 3) else { return };
    let (site, pool) = subvolume(world, &cluster);
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    n1.must(&format!("dd if=/dev/urandom of={site}/much bs=1M count=4 status=none"));
    n1.must(&format!("cp /etc/os-release {site}/little"));
    let copy = |node: &Node, file: &str| node.must(&format!("cat {pool}/latest/{file}"));
    let first = n1.om(world, "web sync nodes --rid sync#1").ok();
    assert!(sent(&first, "n2") > 4 << 20, "{first}");
    assert_eq!(copy(n2, "little"), fs::read_to_string("/etc/os-release").unwrap());
    n1.must(&format!("cp /etc/passwd {site}/little"));
    let second = n1.om(world, "web sync all --rid sync#1").ok();
    assert!(sent(&second, "n2") < 1 << 20 && sent(&second, "local") > 4 << 20, "{second}");
    for node in [n1, n2] {
        assert_eq!(copy(node, "little"), fs::read_to_string("/etc/passwd").unwrap());
        assert_eq!(node.must(&format!("btrfs subvolume list {pool}")).lines().count(), 1, "the latest alone is kept");
    }
    let third = n1.om(world, "web sync full --target n2 --rid sync#1").ok();
    assert!(sent(&third, "n2") > 4 << 20, "{third}");
    // A target that lost the last copy receives everything again.
    n2.must(&format!("btrfs subvolume delete {pool}/latest"));
    let fourth = n1.om(world, "web sync nodes --rid sync#1").ok().says("everything is sent");
    assert!(sent(&fourth, "n2") > 4 << 20, "{fourth}");
    cluster.node("n2").fall_silent();
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    n1.om(world, "web sync nodes --rid sync#1").ends(1).says("n2: cannot be reached");
    assert!(!n1.must(&format!("btrfs subvolume list {site}")).contains("next"), "a snapshot was left");
    assert_eq!(copy(n2, "little"), fs::read_to_string("/etc/passwd").unwrap());
    for node in [n1, n2] {
        node.must(&format!("umount {pool}"));
    }
    n1.om(world, "web instance unprovision --confirm").ok();
}

fn no_copy_is_lost_to_a_target_that_was_cut_off_or_to_an_empty_source(world: &World) {
    if !crate::storage::kernel_has("btrfs") {
        return;
    }
    let Some(cluster) = Cluster::new(world, 3) else { return };
    let (site, pool) = subvolume(world, &cluster);
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    n1.must(&format!("dd if=/dev/urandom of={site}/much bs=1M count=4 status=none"));
    n1.must(&format!("cp /etc/passwd {site}/little"));
    n1.om(world, "web sync all --rid sync#1").ok();
    let copies = |node: &Node| {
        let list = node.must(&format!("btrfs subvolume list {pool}"));
        let mut names: Vec<String> =
            list.lines().filter_map(|line| line.split(' ').next_back()).map(Into::into).collect();
        names.sort();
        names
    };
    let is_kept = |node: &Node| {
        assert_eq!(node.must(&format!("cat {pool}/latest/little")), fs::read_to_string("/etc/passwd").unwrap());
    };
    // The target was cut off while the next copy became the latest, and the one after that fails: the pool is full.
    n2.command("dd").args(["if=/dev/zero", "bs=1M", "status=none"]).arg(format!("of={pool}/full")).output().unwrap();
    n2.must(&format!("mv -T {pool}/latest {pool}/.hostler-previous"));
    n1.om(world, "web sync full --target n2 --rid sync#1").ends(1).says("No space left on device");
    is_kept(n2);
    // The same for a copy that arrived and was never adopted.
    n2.must(&format!("btrfs subvolume delete {pool}/.hostler-next-n2"));
    n2.must(&format!("btrfs subvolume snapshot -r {pool}/latest {pool}/.hostler-next-n2"));
    n2.must(&format!("btrfs subvolume delete {pool}/latest"));
    n1.om(world, "web sync full --target n2 --rid sync#1").ends(1).says("No space left on device");
    is_kept(n2);
    // It was cut off while the previous copy was deleted: that is the base of the next one, and gone afterwards.
    n2.must(&format!("rm {pool}/full"));
    n1.om(world, "web sync full --target n2 --rid sync#1").ok();
    n2.must(&format!("mv -T {pool}/latest {pool}/.hostler-previous"));
    n2.must(&format!("btrfs subvolume snapshot -r {pool}/.hostler-previous {pool}/latest"));
    let changes = n1.om(world, "web sync nodes --rid sync#1").ok();
    assert!(sent(&changes, "n2") < 1 << 20, "{changes}");
    is_kept(n2);
    assert_eq!(copies(n2), ["latest"]);
    // A source that holds nothing but directories.
    n1.must(&format!("rm {site}/much {site}/little"));
    n1.must(&format!("mkdir {site}/directory"));
    let refused = n1.om(world, "web sync all --rid sync#1").ends(1);
    refused.says("n2: ").says("local: ").says("holds no file, and the latest copy does");
    for node in [n1, n2] {
        is_kept(node);
    }
    assert!(!n1.must(&format!("btrfs subvolume list {site}")).contains("next"), "a snapshot was left");
    n1.om(world, "web sync all --rid sync#1 --force").ok();
    n1.om(world, "web sync all --rid sync#1").ok();
    for node in [n1, n2] {
        assert_eq!(node.must(&format!("ls {pool}/latest")), "directory\n");
        assert_eq!(copies(node), ["latest"]);
        node.must(&format!("umount {pool}"));
    }
    n1.om(world, "web instance unprovision --confirm").ok();
}

fn an_object_of_one_node_copies_its_configuration_nowhere(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    assert_eq!(world.states("web"), "fs#1 down");
}

/// On this node alone: temporary files come and go while rsync reads.
fn a_copy_of_a_directory_in_use_counts_and_names_no_files(world: &World) {
    world.create(
        "web",
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[sync#1]\ntype = rsync\nsrc = \"{w}/a b/\"\ndst = {w}/copy\n",
    );
    for number in 0..400 {
        world.write(&format!("a b/kept/{number}"), "x");
    }
    world.om("web start").ok();
    let ran = world.om("web sync all --rid sync#1").ok().says("local: 400 files copied, 0 deleted");
    ran.does_not_say(">f+++++++++");
    let busy = "cd 'a b'; while [ -d kept ]; do for n in 1 2 3 4 5 6 7 8 9; do echo y >$n.tmp; echo z >kept/$n.tmp; done; rm -f *.tmp kept/*.tmp; done";
    let mut busy =
        std::process::Command::new("/bin/sh").args(["-c", busy]).current_dir(world.directory()).spawn().unwrap();
    let has_vanished = (0..40).any(|number| {
        world.write(&format!("a b/new/{number}"), "y");
        let ran = world.om("web sync all --rid sync#1").ok();
        format!("{}{}", ran.stdout, ran.stderr).contains("vanished during the copy")
    });
    assert!(has_vanished, "no file has vanished in any of many copies");
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert_eq!(world.read("copy/new/0"), "y");
    world.om("web stop").ok();
}
