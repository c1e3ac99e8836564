//! Volumes: objects that pools of the node make for the services that use them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::component::component;
use crate::containers;
use crate::leaks;
use crate::world::World;

crate::trials!(
    a_directory_is_made_used_and_removed_with_its_service,
    a_command_names_the_mount_point_of_a_volume,
    memory_is_private_and_forgets,
    a_file_system_in_a_file_is_a_device_for_others_too,
    a_device_without_a_file_system_is_named_by_its_number,
    what_is_in_use_elsewhere_makes_the_stop_fail_by_name,
    a_volume_stays_up_for_the_service_that_still_uses_it,
    keys_are_files_and_a_change_signals_the_reader,
    a_link_in_the_volume_leads_nowhere_else,
    a_namespace_writes_through_a_volume_what_its_policy_allows,
    a_place_that_only_a_default_of_a_third_party_names_takes_no_content,
    no_pool_fits_says_why_of_each,
    a_volume_whose_image_is_gone_is_not_in_use_and_can_be_given_up,
    a_template_is_copied_and_a_volume_uses_no_volumes,
    a_kill_in_the_middle_is_recovered,
    containers_mount_volumes_by_their_names,
);

/// Pools that make everything below the world's directory.
fn pools(world: &World, more: &str) {
    let text = "[pool#default]\ntype = directory\npath = {w}/pool\n\
                [pool#shm]\ntype = shm\nmnt = {w}/mnt\n\
                [pool#img]\ntype = loop\npath = {w}/img\nfs_type = ext4\nmnt = {w}/mnt\n";
    world.write("root/etc/node.conf", &world.fill(&format!("{text}{more}")));
    world.om("node validate").ok();
}

fn a_directory_is_made_used_and_removed_with_its_service(world: &World) {
    pools(world, "");
    world.create("web", "[volume#0]\nsize = 1m\n[fs#1]\ntype = directory\npath = {volume#0.mnt}/www\n");
    assert_eq!(world.states("web"), "fs#1 down, volume#0 down");
    world.om("web start").ends(1).says("not provisioned: volume#0");
    world.om("web provision").ok().says("made vol/web-vol-0 from the pool default");
    assert_eq!(world.states("web"), "fs#1 n/a, volume#0 up");
    assert!(world.exists("pool/web-vol-0.root.vol.default/www"));
    world.om("*/vol/* ls").ok().prints("vol/web-vol-0\n");
    assert_eq!(world.states("vol/web-vol-0"), "fs#0 up, fs#1 n/a");
    let config = world.om("vol/web-vol-0 print config").ok();
    config.says("pool = default").says("size = 1m").says("made_for = web volume#0");
    // Used: neither of them goes alone.
    world.om("vol/web-vol-0 delete").ends(1).says("fs#0 is up");
    world.om("vol/web-vol-0 stop --local").ends(1).says("vol/web-vol-0 is in use: web volume#0");
    world.om("web delete --local").ends(1).says("volume#0 is up");
    let listed: serde_json::Value = serde_json::from_str(&world.om("pool status --format json").ok().stdout).unwrap();
    assert_eq!(listed[0]["volumes"], serde_json::json!(["vol/web-vol-0"]), "{listed:#}");
    world.om("pool ls").ok().prints("default\nshm\nimg\n");

    fs::write(world.path("pool/web-vol-0.root.vol.default/www/index"), "kept").unwrap();
    world.om("web stop").ok();
    assert_eq!(
        (world.states("web"), world.states("vol/web-vol-0")),
        ("fs#1 down, volume#0 down".into(), "fs#0 down, fs#1 n/a".into())
    );
    world.om("web start").ok();
    assert_eq!(world.read("pool/web-vol-0.root.vol.default/www/index"), "kept");
    world.om("web stop").ok();
    world.om("web start").ok().says("started vol/web-vol-0");
    world.om("web unprovision --confirm").ok().says("unprovisioned and deleted vol/web-vol-0");
    assert!(!world.exists("pool/web-vol-0.root.vol.default") && world.exists("pool"));
    world.om("*/vol/* ls").ok().prints("");
}

fn a_command_names_the_mount_point_of_a_volume(world: &World) {
    pools(world, "");
    world.create(
        "web",
        "[volume#0]\nsize = 1m\n[app#1]\ntype = forking\n\
         start = /bin/touch {volume#0.mnt} {volume#0.mnt}/started --reference={volume#0.mnt}\n\
         stop = /bin/rm {volume#0.mnt}/started\ncheck = /usr/bin/test -e {volume#0.mnt}/started\n",
    );
    world.om("web provision --local").ok();
    world.om("web start --local").ok();
    let started = "pool/web-vol-0.root.vol.default/started";
    assert!(world.exists(started));
    world.om("web eval --kw volume#0.mnt").ends(1).says("no keyword, but what volume#0 may expose while it is up");
    world.om("web stop --local").ok();
    assert!(!world.exists(started));
}

fn memory_is_private_and_forgets(world: &World) {
    pools(world, "");
    world.create("web", "[volume#0]\ntype = shm\nsize = 4m\n");
    world.om("web provision").ok();
    let place = world.path("mnt/web-vol-0.root.vol.default");
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o7777, 0o700);
    fs::write(place.join("secret"), "x").unwrap();
    world.om("web stop").ok();
    assert!(!place.join("secret").exists());
    world.om("web start").ok();
    assert!(!place.join("secret").exists());
    world.om("web unprovision --confirm").ok();
}

fn a_file_system_in_a_file_is_a_device_for_others_too(world: &World) {
    if !crate::storage::kernel_has("ext4") {
        return;
    }
    pools(world, "[pool#xfs]\ntype = loop\npath = {w}/img\nmnt = {w}/mnt\n");
    let (pool, size) = if crate::storage::kernel_has("xfs") { ("xfs", "320m") } else { ("img", "16m") };
    let config = format!(
        "[volume#0]\npool = img\nsize = 16m\n[volume#data]\npool = {pool}\nsize = {size}\n\
         [fs#1]\ntype = bind\ndev = {{volume#0.mnt}}\nmnt = {{w}}/site\n"
    );
    world.create("web", &config);
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "fs#1 up, volume#0 up, volume#data up");
    fs::write(world.path("site/data"), "kept").unwrap();
    assert_eq!(world.read("mnt/web-vol-0.root.vol.default/data"), "kept");
    assert!(world.exists("img/web-vol-data.root.vol.default.img"));
    world.om("web stop").ok();
    assert_eq!(leaks::loops(world.directory()), [""; 0]);
    world.om("web start").ok();
    assert_eq!(world.read("site/data"), "kept");
    world.om("web unprovision --confirm").ok();
    assert!(!world.exists("img/web-vol-0.root.vol.default.img"));
}

fn a_device_without_a_file_system_is_named_by_its_number(world: &World) {
    if !crate::storage::kernel_has("ext4") {
        return;
    }
    pools(world, "");
    let config = "[volume#0]\npool = img\nsize = 16m\nformat = false\n\
                  [fs#1]\ntype = ext4\ndev = {volume#0.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "fs#1 up, volume#0 up");
    assert_eq!(world.states("vol/web-vol-0"), "disk#0 up");
    world.om("web restart").ok();
    assert_eq!(world.states("web"), "fs#1 up, volume#0 up");
    world.om("web unprovision --confirm").ok();
    assert_eq!(leaks::loops(world.directory()), [""; 0]);
}

fn what_is_in_use_elsewhere_makes_the_stop_fail_by_name(world: &World) {
    pools(world, "");
    world.create("web", "[volume#0]\ntype = shm\nsize = 4m\n");
    world.om("web provision").ok();
    let place = world.path("mnt/web-vol-0.root.vol.default");
    let mut holder = Command::new("sleep").arg("600").current_dir(&place).spawn().unwrap();
    world.om("web stop").ends(1).says("stop of vol/web-vol-0: fs#0").says("failed at volume#0");
    assert_eq!(world.states("web"), "volume#0 up");
    world.om("web print holdings").ok().says("the volume web-vol-0");
    holder.kill().unwrap();
    holder.wait().unwrap();
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
}

fn a_volume_stays_up_for_the_service_that_still_uses_it(world: &World) {
    pools(world, "");
    world.create("one", "[volume#0]\nname = shared\ntype = shm\nsize = 4m\naccess = rwx\n");
    world.create("two", "[volume#7]\nname = shared\ntype = shm\n");
    world.om("one provision").ok();
    world.om("two print status --refresh").ok().says("volume shared is up, and not used by this resource");
    world.om("two start").ok();
    let place = world.path("mnt/shared.root.vol.default");
    fs::write(place.join("data"), "kept").unwrap();
    world.om("one stop").ok().says("vol/shared stays up: two volume#7 uses it");
    assert_eq!((world.states("one"), world.states("two")), ("volume#0 down".into(), "volume#7 up".into()));
    world.om("one unprovision --confirm").ends(1).says("vol/shared is used by two volume#7");
    assert!(place.join("data").exists());
    world.om("two unprovision --confirm").ok().says("was not made for this resource: it stays");
    assert_eq!(world.states("vol/shared"), "fs#0 down");
    world.om("one unprovision --confirm").ok();
    world.om("*/vol/* ls").ok().prints("");
}

fn keys_are_files_and_a_change_signals_the_reader(world: &World) {
    pools(world, "");
    world.om("cfg/web create").ok();
    world.om("cfg/web add --key conf --value first").ok();
    world.om("sec/tls create").ok();
    world.om("sec/tls add --key server/pem --value s3cretly").ok();
    let script = world.write("reader", "#!/bin/sh\ntrap 'echo hup >>\"$1\"' HUP\nwhile :; do sleep 0.05; done\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let config = "[volume#0]\nsize = 1m\nconfigs = web/conf:/etc/app.conf cfg/web/conf:copy:ro\nsecrets = tls/*:/certs/\n\
                  directories = data/deep\nuser = 12\ngroup = 34\ndirperm = 0710\nsignal = hup:app#1\n\
                  [app#1]\ntype = simple\nstart = {w}/reader {w}/heard\n";
    world.create("web", config);
    world.om("web provision").ok();
    let root = world.path("pool/web-vol-0.root.vol.default");
    let mode = |path: &str| {
        let found = fs::metadata(root.join(path)).unwrap();
        (found.permissions().mode() & 0o7777, found.uid(), found.gid())
    };
    assert_eq!(fs::read_to_string(root.join("certs/server/pem")).unwrap(), "s3cretly");
    assert_eq!((mode("certs/server/pem"), mode("etc/app.conf")), ((0o600, 12, 34), (0o644, 12, 34)));
    assert_eq!((mode("data/deep"), mode("certs"), mode("")), ((0o710, 12, 34), (0o710, 12, 34), (0o710, 12, 34)));
    assert_eq!(fs::read_to_string(root.join("copy")).unwrap(), "first");

    crate::world::until("the reader runs", || world.states("web").contains("app#1 up"));
    let changed = world.om("cfg/web change --key conf --value second").ok();
    changed.says("web volume#0: wrote /etc/app.conf in vol/web-vol-0").says("sent HUP to app#1");
    assert_eq!(fs::read_to_string(root.join("etc/app.conf")).unwrap(), "second");
    crate::world::until("the signal was heard", || world.read("heard") == "hup\n");
    // What another process changed is put right at the next start.
    world.om("web stop").ok();
    fs::write(root.join("etc/app.conf"), "spoilt").unwrap();
    fs::set_permissions(root.join("certs/server/pem"), fs::Permissions::from_mode(0o666)).unwrap();
    world.om("web start").ok();
    assert_eq!(fs::read_to_string(root.join("etc/app.conf")).unwrap(), "second");
    assert_eq!(mode("certs/server/pem"), (0o600, 12, 34));
    world.om("web stop").ok();
    world.om("cfg/web remove --key conf").ok();
    world.om("web start").ends(1).says("cfg/web has no key conf");
    world.om("cfg/web add --key conf --value third").ok();
    world.om("web unprovision --confirm").ok();
    let told = Command::new("grep").args(["-rl", "s3cretly"]).arg(world.path("root")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout), "", "a secret was written down");
}

fn a_link_in_the_volume_leads_nowhere_else(world: &World) {
    pools(world, "");
    world.om("sec/tls create").ok();
    world.om("sec/tls add --key pem --value hidden").ok();
    world.create("web", "[volume#0]\nsize = 1m\nsecrets = tls/pem:/certs/pem\n");
    world.om("web provision").ok();
    world.om("web stop").ok();
    let root = world.path("pool/web-vol-0.root.vol.default");
    fs::create_dir(world.path("outside")).unwrap();
    fs::remove_dir_all(root.join("certs")).unwrap();
    std::os::unix::fs::symlink(world.path("outside"), root.join("certs")).unwrap();
    world.om("web start").ends(1).says("symbolic link");
    assert!(!world.exists("outside/pem"));
    fs::remove_file(root.join("certs")).unwrap();
    world.om("web start").ok();
    world.om("web unprovision --confirm").ok();
}

/// A namespace whose objects may write in one directory, with a data store, and a service that has a key of it in the volume `v`.
fn namespace_with_a_volume(world: &World) {
    let policy = "allow files.read = {w}/own/**\nallow files.write = {w}/own/**\nallow files.read = {rundir}/**\n\
                  allow files.write = {rundir}/**\nallow volume = *\n";
    let policy = policy.replace("{w}", world.path("").display().to_string().trim_end_matches('/'));
    world.write("root/etc/namespaces/ns1/policy", &policy);
    for directory in ["own", "private"] {
        fs::create_dir(world.path(directory)).unwrap();
        fs::set_permissions(world.path(directory), fs::Permissions::from_mode(0o700)).unwrap();
    }
    world.om("ns1/cfg/k create").ok();
    world.om("ns1/cfg/k add --key app --value content").ok();
    world.create("ns1/svc/s", "[volume#1]\nname = v\nconfigs = k/app:/app\n");
}

fn a_namespace_writes_through_a_volume_what_its_policy_allows(world: &World) {
    namespace_with_a_volume(world);
    world.create("ns1/vol/v", "[fs#1]\ntype = directory\npath = {w}/private\noptional = true\n[fs#2]\ntype = flag\n");
    world.om("ns1/svc/s start").ends(1);
    assert!(!world.exists("private/app"));
    world.om("ns1/svc/s stop").ok();
    world.om("ns1/vol/v stop").ok();
    world.om(&world.fill("ns1/vol/v set --kw fs#1.path={w}/own/vol")).ok();
    world.om("ns1/svc/s start").ok().says("wrote /app in the volume v");
    let mode = || fs::metadata(world.path("own/vol/app")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o644);
    world.om("ns1/svc/s stop").ok();
    for (keyword, why) in [
        ("perm=4755", "perm: 4755 would make the keys of data stores set-user-id programs"),
        ("dirperm=2770", "a set-user-id file, which no namespace but root may have"),
        ("group=42", "the group 42: the user 0 is not in it"),
    ] {
        world.om(&format!("ns1/svc/s set --kw volume#1.{keyword}")).ok();
        world.om("ns1/svc/s start").ends(1).says(why);
        assert_eq!((mode(), fs::metadata(world.path("own/vol/app")).unwrap().gid()), (0o644, 0), "{keyword}");
        let name = keyword.split('=').next().unwrap();
        world.om(&format!("ns1/svc/s unset --kw volume#1.{name}")).ok();
    }
    world.om("driver audit --driver volume.pool --format json").ok().says("k/app:/app").says("2770");
    world.om("ns1/svc/s delete --force").ok();
}

fn a_place_that_only_a_default_of_a_third_party_names_takes_no_content(world: &World) {
    world.om(&format!("driver install {}", component("squatter-driver").display())).ok();
    let lure = Path::new("/srv/hostler-lure");
    fs::create_dir_all(lure).unwrap();
    world.om("cfg/k create").ok();
    world.om("cfg/k add --key app --value content").ok();
    world.create("vol/v", "[fs#1]\ntype = squatter\n");
    world.create("web", "[volume#1]\nname = v\nconfigs = k/app:/app\nuser = nobody\n");
    world.om("web start").ends(1).says("vol/v is not mounted now");
    assert_eq!((fs::read_dir(lure).unwrap().count(), fs::metadata(lure).unwrap().uid()), (0, 0));
    // A place that the configuration names is one. (The driver says that it is up whatever happens, so that no stop succeeds.)
    fs::create_dir(world.path("named")).unwrap();
    world.om(&world.fill("vol/v set --kw fs#1.mnt={w}/named")).ok();
    world.om("web start").ok();
    assert!(world.exists("named/app"));
    fs::remove_dir(lure).unwrap();
}

fn a_volume_whose_image_is_gone_is_not_in_use_and_can_be_given_up(world: &World) {
    pools(world, "");
    world.create("web", "[volume#0]\npool = img\nsize = 32m\n");
    world.om("web provision").ok();
    world.om("web stop").ok();
    let image = fs::read_dir(world.path("img")).unwrap().next().unwrap().unwrap().path();
    fs::rename(&image, world.path("kept")).unwrap();
    world.om("web start").ends(1);
    world.om("web print holdings").ok().does_not_say("volume#0");
    fs::rename(world.path("kept"), &image).unwrap();
    world.om("web start").ok();
    world.om("web unset --section volume#0 --force").ok();
    world.om("web stop").ends(1).says("the volume web-vol-0");
    world.om("web stop --force --i-know").ok().says("given up").says("the volume web-vol-0");
    world.om("web stop").ok();
    world.om("web delete").ok();
    // It is not in use any more.
    world.om("vol/web-vol-0 stop").ok();
    world.om("vol/web-vol-0 delete --unprovision --confirm").ok();
}

fn no_pool_fits_says_why_of_each(world: &World) {
    pools(world, "[pool#lvm]\ntype = vg\nname = hostler-absent\n");
    world.create("web", "[volume#0]\nsize = 900000t\n");
    world.om("web provision").ends(1).says("no pool fits: default has").says("lvm").says("shm forgets what is in it");
    world.om("web set --kw volume#0.type=vg --kw volume#0.size=1m").ok();
    world.om("web provision").ends(1).says("default is of type directory, not vg");
    world.om("web set --kw volume#0.type=loop --kw volume#0.pool=default").ok();
    world.om("web provision").ends(1).says("img is not default");
    world.om("web unset --kw volume#0.size --kw volume#0.pool").ok();
    world.om("web provision").ends(1).says("the pool img makes volumes of a size: expected size = 1g");
    world.om("*/vol/* ls").ok().prints("");
}

fn a_template_is_copied_and_a_volume_uses_no_volumes(world: &World) {
    pools(world, "[pool#copies]\ntype = virtual\ntemplate = templates/vol/small\n");
    let template =
        "[DEFAULT]\ndisable = true\nsize = 1m\n[fs#1]\ntype = tmpfs\nmnt = {w}/mnt/{fqdn}\nsize = {DEFAULT.size}\n";
    world.create("templates/vol/small", template);
    world.create("web", "[volume#0]\npool = copies\nsize = 2m\n");
    world.om("web provision").ok();
    assert_eq!(world.states("vol/web-vol-0"), "fs#1 up");
    assert!(world.exists("mnt/web-vol-0.root.vol.default"));
    world.om("web unprovision --confirm").ok();
    world.create("vol/odd", "[volume#0]\nname = other\n");
    world.om("vol/odd provision --local").ends(1).says("a volume uses no volumes");
    world.om("templates/vol/small delete").ok();
}

fn a_kill_in_the_middle_is_recovered(world: &World) {
    pools(world, "");
    world.create("web", "[volume#0]\npool = shm\nsize = 2m\n[app#1]\ntype = forking\nstart = {w}/act slow 1\nstop = {w}/act stop 1\ncheck = {w}/act check 1\n");
    world.om("web provision --rid volume#0").ok();
    world.om("web stop").ok();
    let mut start = world.spawn("web start");
    crate::world::until("the application is starting", || world.marks().contains("~1"));
    start.kill().unwrap();
    start.wait().unwrap();
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "app#1 down, volume#0 down");
    assert_eq!(world.states("vol/web-vol-0"), "fs#0 down");
    world.om("web unprovision --confirm").ok();
}

fn containers_mount_volumes_by_their_names(world: &World) {
    let Some(engine) = containers::node_engine(world) else { return };
    pools(world, "");
    let mounts = "volume_mounts = web-vol-0/data:/data {volume#1.mnt}/conf:/conf {volume#1.name}:/all\n";
    let volumes = "[volume#0]\nsize = 1m\ndirectories = data\n[volume#1]\ntype = shm\nsize = 1m\naccess = roo\ndirectories = conf\n";
    containers::create(world, &format!("{volumes}{}", containers::sleeping("1", mounts)));
    world.om("web provision").ok();
    engine.docker("exec web.container.1 touch /data/made /conf/made").unwrap();
    assert!(world.exists("pool/web-vol-0.root.vol.default/data/made"));
    assert!(world.exists("mnt/web-vol-1.root.vol.default/conf/made"));
    // The volume is read-only where nothing else is said.
    engine.docker("exec web.container.1 touch /all/more").unwrap_err();
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "container#1 down, volume#0 down, volume#1 down");
    world.om("web start").ok();
    world.om("web unprovision --confirm").ok();
    assert_eq!(engine.containers().unwrap(), [""; 0]);
}
