//! Mount namespaces that no process is in, or only a thread of one: a file system that lives on in them is not gone.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::devices::output;
use crate::holdings::in_another_namespace;
use crate::mounts::{TrustedPlace, at};
use crate::world::{World, until};

crate::trials!(
    a_tmpfs_in_a_namespace_that_only_a_file_keeps_is_not_gone,
    an_overlay_in_the_namespace_of_a_thread_is_not_gone,
);

const TMPFS: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/cache\n";

fn a_tmpfs_in_a_namespace_that_only_a_file_keeps_is_not_gone(world: &World) {
    let place = TrustedPlace::new(world);
    output("mount", &["-t", "tmpfs", "names", &place.at("")]);
    output("mount", &["--make-private", &place.at("")]);
    let file = place.at("kept");
    fs::write(&file, "").unwrap();
    world.create("web", TMPFS);
    world.om("web start").ok();
    world.write("cache/session", "data");
    if !keep_a_namespace(world, &file) {
        world.om("web stop").ok();
        world.om("web delete --force").ok();
        return println!("skipped: no file keeps a mount namespace here");
    }
    world.om("web stop").ends(1).says(&format!("mounted on {}", at(world, "cache"))).says(&file);
    assert!(!world.states("web").contains("down"), "{}", world.states("web"));
    output("umount", &[&file]);
    world.om("web stop").ok().says("instance status is now down");
    world.om("web delete --force").ok();
}

/// Mounts a file that keeps a namespace which no process is in. The kernel refuses that with EINVAL for a namespace that it takes for an
/// older one than its own, and numbers them by processor: so some other one is tried then.
fn keep_a_namespace(world: &World, file: &str) -> bool {
    (0..20).any(|_| {
        let mut inside = in_another_namespace(world);
        let namespace = format!("/proc/{}/ns/mnt", inside.id());
        let kept = Command::new("mount").args(["--bind", &namespace, file]).output().unwrap();
        inside.kill().unwrap();
        inside.wait().unwrap();
        kept.status.success()
    })
}

/// A program of which a thread has a mount namespace of its own.
const THREADS: &str = r#"
import ctypes, threading, time
libc = ctypes.CDLL(None, use_errno=True)
own = "OWN/"
def apart():
    assert libc.unshare(0x20200) == 0
    assert libc.mount(None, b"/", None, 0x44000, None) == 0
    places = [line.split()[4] for line in open("/proc/thread-self/mountinfo")]
    for place in reversed(places):
        if "/hostler-e2e-" in place and not place.startswith(own):
            libc.umount2(place.encode(), 2)
    open(own + "ready", "w").close()
    time.sleep(600)
threading.Thread(target=apart, daemon=True).start()
time.sleep(600)
"#;

struct Threads(Child);

impl Threads {
    fn beside(world: &World) -> Threads {
        let script = THREADS.replace("OWN", &world.directory().display().to_string());
        let child = Command::new("python3").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap();
        let threads = Threads(child);
        until("the namespace of the thread", || world.exists("ready"));
        threads
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn an_overlay_in_the_namespace_of_a_thread_is_not_gone(world: &World) {
    let base = TrustedPlace::new(world);
    output("mount", &["-t", "tmpfs", "layers", &base.at("")]);
    for layer in ["low", "up", "work"] {
        fs::create_dir(base.at(layer)).unwrap();
    }
    let overlay = format!(
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = overlay\nlower = {}\nupper = {}\nwork = {}\nmnt = {{w}}/site\n",
        base.at("low"),
        base.at("up"),
        base.at("work")
    );
    for config in [TMPFS, &overlay] {
        world.create("web", config);
        world.om("web start").ok();
        let threads = Threads::beside(world);
        let stop = world.om("web stop").ends(1);
        stop.says("in the mount namespace of python3");
        assert!(!world.states("web").contains("down"), "{}", world.states("web"));
        drop(threads);
        fs::remove_file(world.path("ready")).unwrap();
        world.om("web stop").ok().says("instance status is now down");
        world.om("web delete --force").ok();
    }
}
