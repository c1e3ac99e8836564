//! examples/spider on one of its nodes: Google's disks and routes, file systems, an engine of the service's own, containers
//! with addresses of their own, from nothing to nothing, in the way its operators use it.
//!
//! Two things are stand-ins: `tests/gce` plays Google's cloud, and busybox on the port of MariaDB plays the servers of the two
//! images. The images come from a registry on the loopback interface, which the engine uses as the hub's mirror.

mod figures;
mod pods;
mod surroundings;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hostler_gce::HttpServer;
use hostler_tests::dockerd::Dockerd;
use hostler_tests::registry::Registry;
use serde_json::Value;

use crate::network::ip;
use crate::old_names::as_called_with;
use crate::ran::Ran;
use crate::separate::OtherNode;
use crate::world::{World, until};
use crate::{gce, leaks, separate};

use pods::{PODS, address, expected, mask, pod08};
use surroundings::{allocated, bridge, cloud, control_groups, greeting_at, hub, network, serve};

crate::trials!(thirty_two_pods_on_their_first_node);

const SERVICE: &str = "spdsvc01";
const ROOT: &str = "/spdsvc01";

pub(crate) use figures::figures;

fn thirty_two_pods_on_their_first_node(world: &World) {
    on_a_machine_of_its_own(|| lifetime(world));
}

fn on_a_machine_of_its_own(story: impl FnOnce() + Send) {
    let missing = Dockerd::missing().or_else(Registry::missing);
    if let Some(missing) = missing.or_else(|| (!gce::loops()).then_some("loop device")) {
        println!("spider: skipped: there is no {missing}");
        return;
    }
    let directory = Directory::make();
    separate::run(story);
    drop(directory);
}

/// The directory that the service's file system is mounted on. A lock keeps other runs away: removing the directory would
/// unmount what another run has mounted there in its own namespaces.
struct Directory {
    _lock: File,
}

impl Directory {
    fn make() -> Directory {
        let root = File::open("/").unwrap();
        root.lock().unwrap();
        fs::create_dir_all(ROOT).unwrap();
        assert_eq!(fs::read_dir(ROOT).unwrap().count(), 0, "{ROOT} contains foreign files");
        Directory { _lock: root }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(ROOT);
    }
}

fn lifetime(world: &World) {
    let hub = hub(world);
    let server = cloud(world);
    bridge();
    let before = network();
    let other = OtherNode::with_devices(&world.path("devices-spd02"));
    let (spd01, spd02) = (Node::new(world, "spd01", "root"), Node::new(world, "spd02", "root2"));
    spd01.is_configured(&server);
    spd01.is_provisioned();
    spd01.shows_the_tree();
    serve(PODS, "spider 1");
    spd01.gets_another_image();
    spd01.stops_and_starts_a_pod();
    let containers = spd01.containers();
    assert!(!control_groups(&containers).is_empty());
    spd01.lets_a_pod_go();
    other.run(|| spd02.takes_it(&server));
    spd01.is_unprovisioned();
    assert_eq!(allocated(&server), [""; 0]);
    assert_eq!(leaks::loops(world.directory()), [""; 0]);
    assert_eq!(network(), before);
    until("no control group is left", || control_groups(&containers).is_empty());
    drop((server, hub));
}

/// A node of the service.
struct Node<'a> {
    world: &'a World,
    name: &'a str,
    root: PathBuf,
}

impl<'a> Node<'a> {
    fn new(world: &'a World, name: &'a str, root: &str) -> Node<'a> {
        Node { world, name, root: world.path(root) }
    }

    /// `svcmgr -s spdsvc01 …`, as it was typed in 2016.
    #[track_caller]
    fn om(&self, line: &str) -> Ran {
        self.om_anyhow(line).ok()
    }

    fn om_anyhow(&self, line: &str) -> Ran {
        self.called("svcmgr", line)
    }

    /// Calls the program of this name in the world's directory.
    fn called(&self, program: &str, line: &str) -> Ran {
        let began = Instant::now();
        let root = self.root.display().to_string();
        let env = [("HOSTLER_NODENAME", self.name), ("HOSTLER_ROOT", &root)];
        let ran = as_called_with(self.world, program, &format!("-s {SERVICE} {line}"), &env);
        let (seconds, line) = (began.elapsed().as_secs_f32(), line.get(..40).unwrap_or(line));
        println!("spider: {}: {seconds:5.2} s: {line}", self.name);
        ran
    }

    fn is_configured(&self, server: &HttpServer) {
        let example = hostler_tests::repository().join("examples/spider");
        let generated = std::process::Command::new("sh").arg(example.join("generate.sh")).output().unwrap();
        let file = example.join("spdsvc01.conf");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text == String::from_utf8_lossy(&generated.stdout), "generate.sh makes another configuration");
        assert_eq!(text.lines().filter(|line| line.starts_with('[')).count(), 262);
        let (api, metadata) = (&server.api, &server.metadata[self.name]);
        self.om(&format!("create --config {} --kw gce_endpoint={api} --kw gce_metadata={metadata}", file.display()));
        let validated = self.om("config validate").does_not_say("error");
        for sentence in [
            "service_type is an old name",
            "autostart_node is an old name",
            "docker_data_dir is an old name",
            "cluster_type is an old name",
            "disk#00.always_on is an old name",
            "ip#32db.ipdev is an old name",
            "container#32db.run_image is an old name",
        ] {
            assert!(
                validated.stdout.contains(sentence) || validated.stderr.contains(sentence),
                "{sentence}: {validated}"
            );
        }
        assert_eq!(self.count("down"), 66);
    }

    fn is_provisioned(&self) {
        let plan = self.om("start --dry-run --force");
        for subset in ["disk:cge ∥", "ip:cge ∥", "container:containers ∥"] {
            assert!(plan.stdout.contains(subset), "{subset}: {plan}");
        }
        self.om("provision --local");
        for pod in PODS {
            for (kind, directory) in [("sm", "data"), ("sm", "init"), ("db", "conf"), ("db", "data")] {
                let path = format!("{ROOT}/pod{pod:02}/{kind}/{directory}");
                assert_eq!(fs::metadata(&path).unwrap().uid(), 999, "{path}");
            }
            assert!(Path::new(&format!("{ROOT}/pod{pod:02}/sm/data/started")).exists(), "the volumes are not there");
        }
        assert_eq!(separate::mounts(ROOT).iter().filter(|at| at.starts_with("/spdsvc01/pod")).count(), PODS.count());
    }

    /// The number of resources in a state, standby or not.
    fn count(&self, state: &str) -> usize {
        self.resources().values().filter(|(found, _)| found.trim_start_matches("stdby ") == state).count()
    }

    fn status(&self) -> Value {
        let ran = self.om("print status --format json --refresh");
        match serde_json::from_str(&ran.stdout).unwrap() {
            Value::Array(mut all) => all.remove(0),
            one => one,
        }
    }

    /// The states and labels of the resources of this node.
    fn resources(&self) -> BTreeMap<String, (String, String)> {
        let status = self.status();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = status["resources"].as_object().unwrap().iter();
        all.filter(|(rid, resource)| *rid != "sync#i0" && !resource["disable"].as_bool().unwrap_or(false))
            .map(|(rid, resource)| (rid.clone(), (text(&resource["status"]), text(&resource["label"]))))
            .collect()
    }

    fn shows_the_tree(&self) {
        let mut shown = self.resources();
        for (rid, (_, label)) in &mut shown {
            mask(rid, label);
        }
        assert_eq!(shown, expected());
        let text = self.om("print status").stdout;
        let accessory = text.split_once("accessory").unwrap_or_else(|| panic!("{text}")).1;
        assert!(accessory.contains("sync#i0") && accessory.contains("rsync svc config to"), "{text}");
        assert!(!text.contains("#09"), "{text}");
    }

    fn gets_another_image(&self) {
        self.om("stopcontainer --tags sm");
        let stopped = self.resources();
        for pod in PODS {
            assert_eq!(stopped[&format!("container#{pod:02}sm")].0, "down");
            assert_eq!(stopped[&format!("container#{pod:02}db")].0, "up");
            assert_eq!(stopped[&format!("fs#{pod:02}")].0, "up", "no container is its tag");
        }
        // The engine refuses to remove those that run.
        self.om_anyhow("docker rm %instances%").says("cannot remove a running container");
        assert_eq!(self.containers().len(), PODS.count());
        let change = PODS.map(|pod| format!(" --kw container#{pod:02}sm.run_image=tanji/spdc:2")).collect::<String>();
        self.om(&format!("set{change}"));
        self.om("startcontainer --tags sm");
        serve(PODS, "spider 2");
        assert_eq!(self.count("up"), 66);
    }

    fn stops_and_starts_a_pod(&self) {
        self.om("stop --tags pod08");
        let stopped = self.resources();
        for rid in pod08() {
            assert_eq!(stopped[&rid].0, if rid == "disk#08" { "stdby up" } else { "down" }, "{rid}");
        }
        assert_eq!((self.count("up"), self.count("down")), (59, 7));
        self.om("start --tags pod08");
        serve(8..=8, "spider 2");
    }

    /// The containers of the service's own engine, running or not.
    fn containers(&self) -> Vec<String> {
        self.om("docker ps -aq --no-trunc").stdout.split_whitespace().map(str::to_owned).collect()
    }

    /// Moves a pod to spd02, where the configuration now enables it. Its disk is standby: spd02 takes it from here.
    fn lets_a_pod_go(&self) {
        fs::write(format!("{ROOT}/pod08/db/data/row"), "kept").unwrap();
        self.om("stop --tags pod08");
        let moved = |rid: &String| format!(" --kw {rid}.disable@spd01=true --kw {rid}.disable@spd02=false");
        self.om(&format!("set{}", pod08().iter().map(moved).collect::<String>()));
        let left = self.resources();
        assert!(pod08().iter().all(|rid| !left.contains_key(rid)), "{left:#?}");
        assert_eq!((left.len(), self.count("up")), (58, 58));
        assert_eq!(self.status()["avail"], "up");
        assert_eq!(greeting_at(&address(8, "sm")), None);
        assert!(!ip("route show").contains(&address(8, "sm")));
        self.om("start --local").says("nothing to do");
    }

    /// Starts spd02's own resources and the pod. The other pods that the configuration assigns to it are left out.
    fn takes_it(&self, server: &HttpServer) {
        let config = self.world.path("root/etc/spdsvc01.conf");
        let metadata = &server.metadata[self.name];
        // Both nodes share one kernel, on which two file systems have the label of fs#00.
        let device = format!("{}/google-spdsvc01.disk.00.0", gce::BY_ID);
        self.om(&format!("create --config {} --kw gce_metadata={metadata} --kw fs#00.dev={device}", config.display()));
        self.om("provision --local --rid disk#00,fs#00");
        self.om("start --local --tags pod08").says("spdsvc01-pod8 is taken from spd01");
        let resources = self.resources();
        for rid in pod08() {
            assert_eq!(resources[&rid].0, if rid == "disk#08" { "stdby up" } else { "up" }, "{rid}");
        }
        assert_eq!(fs::read_to_string(format!("{ROOT}/pod08/db/data/row")).unwrap(), "kept");
        serve(PODS, "spider 2");
        let containers = self.containers();
        assert!(!control_groups(&containers).is_empty());
        self.om("unprovision --local --confirm --tags pod08");
        self.om("unprovision --local --confirm --rid disk#00,fs#00");
        assert_eq!(separate::mounts(ROOT), [""; 0]);
        until("no control group is left", || control_groups(&containers).is_empty());
    }

    fn is_unprovisioned(&self) {
        assert!(!Path::new(&format!("{}/google-spdsvc01.disk.08.0", gce::BY_ID)).exists(), "spd02 has it");
        assert_eq!(self.count("up"), 58);
        self.om("stop --local --force");
        assert_eq!(self.count("down"), 58);
        assert_eq!(separate::mounts(ROOT), [""; 0]);
        self.om("unprovision --local --confirm");
        assert_eq!(separate::mounts(ROOT), [""; 0]);
    }
}
