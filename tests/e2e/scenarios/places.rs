//! What a policy denies or allows is a place: mounts, layers of an overlay, sockets and devices are judged by what was opened, and not
//! by the name that led there. The links are root's, as no others are followed.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::escapes::{attempt, install, policy};
use crate::world::World;

crate::trials!(
    a_mount_is_judged_where_it_is_made,
    a_layer_of_an_overlay_is_judged_where_it_is,
    a_socket_is_judged_where_it_is,
    a_working_directory_is_judged_where_it_is,
    a_device_is_judged_under_all_of_its_names,
    an_argument_is_judged_where_it_leads,
    an_argument_leads_to_no_loop_device_of_another_object,
    a_namespace_makes_root_of_a_client_only_by_its_policys_own_words,
);

/// A directory that only root can write, with `link` beside `real`: /tmp is no such place.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let place = PathBuf::from(format!("/var/lib/hostler-{name}-{}", std::process::id()));
        fs::create_dir_all(place.join("real/mnt")).unwrap();
        fs::create_dir(place.join("only")).unwrap();
        symlink(place.join("real"), place.join("link")).unwrap();
        Place(place)
    }

    fn shown(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-q").arg(self.0.join("real/mnt")).status();
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The policy of the hostile driver, with a line more.
fn denying(world: &World, line: &str) {
    world.om("driver allow app.hostile --yes").ok();
    let file = world.path("root/etc/drivers.d/app.hostile.policy");
    let allowed = fs::read_to_string(&file).unwrap();
    let kept: String = allowed.lines().filter(|line| !line.starts_with("deny")).flat_map(|line| [line, "\n"]).collect();
    fs::write(&file, format!("{kept}{line}\n")).unwrap();
}

fn is_mounted(path: &Path) -> bool {
    fs::read_to_string("/proc/self/mounts").unwrap().lines().any(|line| line.split(' ').nth(1) == path.to_str())
}

fn a_mount_is_judged_where_it_is_made(world: &World) {
    let home = Place::new("mounts");
    let at = home.shown();
    install(world);
    let tried = |name: &str, namespace: &str| {
        attempt(world, namespace, &format!("mount tmpfs tmpfs {at}/{name}"), &format!("own = {at}/{name}\n"))
    };
    for denied in ["real", "link"] {
        denying(world, &format!("deny mount = * * on {at}/{denied}/**"));
        for name in ["real/mnt", "link/mnt"] {
            tried(name, "").ends(1).says("denied");
            assert!(!is_mounted(&home.0.join("real/mnt")), "{name} although {denied} is denied");
        }
    }
    denying(world, "");
    // A namespace may mount on one place, and a link in it leads to another.
    symlink(home.0.join("real/mnt"), home.0.join("only/mnt")).unwrap();
    policy(world, "ns1", &format!("allow mount = tmpfs tmpfs on {at}/only/**\n"));
    tried("only/mnt", "ns1/svc/").ends(1).says("real/mnt");
    assert!(!is_mounted(&home.0.join("real/mnt")));
    policy(world, "ns1", &format!("allow mount = tmpfs tmpfs on {at}/link/**\n"));
    tried("link/mnt", "ns1/svc/").ok();
    assert!(is_mounted(&home.0.join("real/mnt")));
}

fn a_layer_of_an_overlay_is_judged_where_it_is(world: &World) {
    let home = Place::new("layers");
    let at = home.shown();
    install(world);
    for directory in ["real/low", "real/up", "real/work"] {
        fs::create_dir(home.0.join(directory)).unwrap();
    }
    let more = format!("own = {at}/link\noverlay = {at}/real/mnt\n");
    let options = format!("lowerdir={at}/link/low upperdir={at}/link/up workdir={at}/link/work");
    let tried = || attempt(world, "", &format!("mount overlay overlay {at}/real/mnt {options}"), &more);
    for denied in ["files.read", "files.write"] {
        denying(world, &format!("deny {denied} = {at}/real/up"));
        tried().ends(1).says("denied");
        assert!(!is_mounted(&home.0.join("real/mnt")), "{denied}");
    }
    denying(world, &format!("deny files.read = {at}/real/low"));
    tried().ends(1).says("denied");
    denying(world, "");
    tried();
    assert!(is_mounted(&home.0.join("real/mnt")));
}

fn a_socket_is_judged_where_it_is(world: &World) {
    let home = Place::new("sockets");
    let at = home.shown();
    install(world);
    let engine = UnixListener::bind(home.0.join("real/engine.sock")).unwrap();
    engine.set_nonblocking(true).unwrap();
    let asked = |name: &str, keyword: &str| {
        let request = format!("ask GET {at}/{name}/engine.sock /info");
        attempt(world, "", &request, &format!("{keyword} = {at}/{name}/engine.sock\n"))
    };
    for keyword in ["socket", "engine"] {
        for denied in ["real", "link"] {
            denying(world, &format!("deny http.unix = * {at}/{denied}/** /**"));
            for name in ["real", "link"] {
                asked(name, keyword).ends(1).says("denied");
                assert!(engine.accept().is_err(), "{name} was asked although {denied} is denied");
            }
        }
    }
    denying(world, "");
    // Nothing answers: that the request gets there is enough.
    let answered = std::thread::spawn(move || {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while std::time::Instant::now() < until {
            if engine.accept().is_ok() {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        false
    });
    asked("link", "socket").ends(1);
    assert!(answered.join().unwrap(), "what nothing denies is allowed");
}

fn a_working_directory_is_judged_where_it_is(world: &World) {
    let home = Place::new("directories");
    let at = home.shown();
    install(world);
    let tried = |name: &str, namespace: &str| {
        let config = format!("program = /bin/pwd\ncwd = {at}/{name}\n");
        attempt(world, namespace, &format!("run-in {at}/{name} /bin/pwd"), &config)
    };
    tried("link/mnt", "").ok();
    symlink(home.0.join("real/mnt"), home.0.join("only/mnt")).unwrap();
    policy(world, "ns1", &format!("allow exec(cwd={at}/only/**) = /bin/pwd\n"));
    tried("only/mnt", "ns1/svc/").ends(1).says("real/mnt");
    policy(world, "ns1", &format!("allow exec(cwd={at}/link/**) = /bin/pwd\n"));
    tried("link/mnt", "ns1/svc/").ok();
    // What a team may write is no place for a link that a program of root follows.
    fs::create_dir(home.0.join("team")).unwrap();
    symlink("/etc", home.0.join("team/mnt")).unwrap();
    chown(home.0.join("team"), Some(1001), Some(1001)).unwrap();
    policy(world, "ns1", &format!("allow exec(cwd={at}/**) = /bin/pwd\nallow exec(cwd=/etc) = /bin/pwd\n"));
    tried("team/mnt", "ns1/svc/").ends(1).says("symbolic link");
    tried("team/mnt", "").ends(1).says("symbolic link");
}

fn a_device_is_judged_under_all_of_its_names(world: &World) {
    let home = Place::new("devices");
    let at = home.shown();
    let image = home.0.join("image");
    let made = Command::new("mke2fs").args(["-q", "-t", "ext4", "-L", "placed"]).arg(&image).arg("8m").output();
    let attached = Command::new("losetup").args(["--show", "-f"]).arg(&image).output().unwrap();
    if !made.is_ok_and(|made| made.status.success()) || !attached.status.success() {
        return println!("skipped: there is no loop device here");
    }
    let device = String::from_utf8(attached.stdout).unwrap().trim().to_owned();
    symlink(&device, home.0.join("disk")).unwrap();
    let policy = world.path("root/etc/drivers.d/fs.ext4.policy");
    fs::create_dir_all(policy.parent().unwrap()).unwrap();
    for (asked, denied) in [(format!("{at}/disk"), device.clone()), (device.clone(), format!("{at}/disk"))] {
        for line in [format!("deny mount = * {denied} on /**"), format!("deny block.read = {denied}")] {
            fs::write(&policy, format!("{line}\n")).unwrap();
            let config = format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {asked}\nmnt = {at}/real/mnt\n");
            world.create("data", &config);
            world.om("data start").ends(1).says("denied");
            assert!(!is_mounted(&home.0.join("real/mnt")), "{asked} although {line}");
            world.om("data delete --force --i-know --confirm").ok();
        }
    }
    fs::remove_file(&policy).unwrap();
    world
        .create("data", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {at}/disk\nmnt = {at}/real/mnt\n"));
    world.om("data start").ok();
    assert!(is_mounted(&home.0.join("real/mnt")));
    world.om("data stop").ok();
    assert!(Command::new("losetup").args(["-d", &device]).status().unwrap().success());
}

/// A loop device that the scenario attached, and no resource. It is detached at the end.
struct Attached(String);

impl Attached {
    fn to(image: &Path) -> Option<Attached> {
        fs::File::create(image).unwrap().set_len(1 << 20).unwrap();
        let attached = Command::new("losetup").args(["--show", "-f"]).arg(image).output().unwrap();
        let is_attached = attached.status.success();
        is_attached.then(|| Attached(String::from_utf8(attached.stdout).unwrap().trim().to_owned()))
    }

    /// Makes another node of the same device.
    fn node(&self, at: &Path) {
        let number = self.0.strip_prefix("/dev/loop").unwrap();
        assert!(Command::new("mknod").arg(at).args(["b", "7", number]).status().unwrap().success());
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).status();
    }
}

fn an_argument_is_judged_where_it_leads(world: &World) {
    let home = Place::new("arguments");
    let at = home.shown();
    fs::write(home.0.join("real/file"), "").unwrap();
    let Some(attached) = Attached::to(&home.0.join("image")) else { return println!("skipped: no loop device here") };
    let device = &attached.0;
    symlink(device, home.0.join("disk")).unwrap();
    attached.node(&home.0.join("node"));
    let policy = world.path("root/etc/drivers.d/task.host.policy");
    fs::create_dir_all(policy.parent().unwrap()).unwrap();
    let run = |command: &str| {
        let file =
            world.write("job.conf", &format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = {command}\n"));
        world.om(&format!("job create --config {}", file.display())).ok();
        let ran = world.om("job run");
        world.om("job delete --force --i-know --confirm").ok();
        ran
    };
    let devices = [device.clone(), format!("{at}/disk"), format!("{at}/node"), format!("/proc/self/root{device}")];
    let files = [format!("{at}/real/file"), format!("{at}/link/file"), format!("{at}/real/../link//file")];
    for names in [&devices[..], &files] {
        for denied in names.iter().filter(|name| !name.contains("..") && !name.contains("/proc/")) {
            let lines = ["exec = /usr/bin/test -e", "exec = /usr/bin/test * of=", "files.read =", "block.read ="];
            for line in lines.into_iter().filter(|line| names.len() == devices.len() || !line.starts_with("block")) {
                let space = if line.ends_with("-e") || line.ends_with(" =") { " " } else { "" };
                fs::write(&policy, format!("deny {line}{space}{denied}\n")).unwrap();
                let prefix = if line.ends_with("of=") { "= of=" } else { "-e " };
                for name in names {
                    let ran = run(&format!("/usr/bin/test {prefix}{name}")).ends(1);
                    ran.says("denied").says("the site does not allow it");
                }
            }
            // What is denied is one thing, and not all of its neighbours.
            run(&format!("/usr/bin/test -e {at}/image")).ok();
        }
    }
    // A program goes through a directory, and a program that may write is as good as the write.
    fs::write(&policy, format!("deny files.write = {at}/real/file\n")).unwrap();
    for argument in [format!("{at}/link"), format!("--into={at}/real"), format!("{at}/link/file:/x:ro"), "/".to_owned()]
    {
        run(&format!("/usr/bin/test -n {argument}")).ends(1).says("denied");
    }
    run(&format!("/usr/bin/test -n {at}/only")).ok();
    // As the program reads it: by its own directory, and in the address of a file.
    fs::write(&policy, format!("deny files.read = {at}/real/file\n")).unwrap();
    let encoded = format!("{at}/link/file").replace('/', "%2F");
    let (own, thread) = (format!("/proc/self/cwd{at}/real/file"), format!("x=/proc/thread-self/cwd{at}/link/file"));
    let urls = [format!("file://localhost{at}/real/file"), format!("file:{encoded}"), format!("{at}/real/%66ile")];
    for argument in [own, thread].into_iter().chain(urls) {
        run(&format!("/usr/bin/test -n {argument}")).ends(1).says("denied");
    }
    run(&format!("/usr/bin/test -n file://localhost{at}/only")).ok();
    fs::write(&policy, format!("deny files.write = {at}/real/new\n")).unwrap();
    run(&format!("/usr/bin/test -n --into={at}/link/new")).ends(1).says("denied");
    fs::write(&policy, format!("deny exec = /usr/bin/test -n file://{at}/real/file\n")).unwrap();
    run(&format!("/usr/bin/test -n file:{at}/link/file")).ends(1).says("denied");
    fs::remove_file(&policy).unwrap();
    run(&format!("/usr/bin/test -b {device}")).ok();
}

fn an_argument_leads_to_no_loop_device_of_another_object(world: &World) {
    let home = Place::new("loops");
    let at = home.shown();
    let Some(attached) = Attached::to(&home.0.join("image")) else { return println!("skipped: no loop device here") };
    symlink(&attached.0, home.0.join("disk")).unwrap();
    // A link of another user's leads a program like any other.
    std::os::unix::fs::lchown(home.0.join("disk"), Some(1001), Some(1001)).unwrap();
    attached.node(&home.0.join("node"));
    policy(world, "ns1", "allow exec(caps=all) = /usr/bin/test **\n");
    let relative = attached.0.trim_start_matches('/');
    for name in [&attached.0, relative, &format!("{at}/disk"), &format!("{at}/node"), &format!("-f{at}/node")] {
        world.create(
            "ns1/svc/job",
            &format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /usr/bin/test -n {name}\n"),
        );
        world.om("ns1/svc/job run").ends(1).says("no resource of this object attached");
        world.om("ns1/svc/job delete --force --i-know --confirm").ok();
    }
}

fn a_namespace_makes_root_of_a_client_only_by_its_policys_own_words(world: &World) {
    let home = Place::new("exports");
    // What it does is not the matter here, and it exports nothing.
    let exportfs = format!("{}/exportfs", home.shown());
    fs::copy("/bin/true", &exportfs).unwrap();
    let export = |object: &str, options: &str| {
        let config = format!("[task#1]\ntype = host\ncommand = {exportfs} -o {options} -- n2:/srv\n");
        world.create(object, &format!("[DEFAULT]\nnodes = n1\n{config}"));
        let ran = world.om(&format!("{object} run"));
        world.om(&format!("{object} delete --force --i-know --confirm")).ok();
        ran
    };
    let own = "rw,no_root_squash";
    policy(world, "ns1", &format!("allow exec(caps=all) = {exportfs} **\n"));
    export("ns1/svc/job", "rw,sync").ok();
    for options in [own, "rw,all_squash,anonuid=0", "rw,all_squash,anongid=0,sync"] {
        export("ns1/svc/job", options).ends(1).says(&format!("-o {options} -- n2:/srv"));
    }
    export("job", own).ok();
    policy(world, "ns1", &format!("allow exec(caps=all) = {exportfs} -o {own} -- *\n"));
    export("ns1/svc/job", own).ok();
}
