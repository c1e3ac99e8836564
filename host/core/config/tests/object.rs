//! The meaning of a configuration on a node.

mod support;

use std::time::Duration;

use config::{ConfigKey, Document, KeywordReader, ReadError, load};
use model::object::{Exposure, ExposureLookup, KeywordEvaluation, Object, OrchestrateMode, Provenance, Resource};
use model::object::{Topology, Trigger, TriggerTime};
use model::status::State;
use model::{NodeName, ObjectPath, Rid, SubsetName, Verb};
use support::{Drivers, node, path};

fn object_on(name: &str, text: &str) -> Object {
    let loaded = load(&path(), text, &node(name), &Drivers::new());
    loaded.object.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn eval_on(name: &str, text: &str, key: &str) -> Result<Vec<String>, ReadError> {
    let (path, document, node, drivers) = (path(), Document::parse(text), node(name), Drivers::new());
    let reader = KeywordReader::new(&path, &document, &node, &drivers);
    let key: ConfigKey = key.parse().unwrap();
    reader.eval(&key, &()).map(|evaluated| evaluated.values)
}

fn names(nodes: &[NodeName]) -> Vec<&str> {
    nodes.iter().map(NodeName::as_str).collect()
}

#[test]
fn the_most_specific_scope_wins_and_nothing_merges() {
    let text = "\
[DEFAULT]
nodes = n1 n2
drpnodes = n3
app = plain
app@nodes = of-nodes
app@drpnodes = of-drpnodes
app@n2 = of-n2
comment@flex_primary = first
comment = other
";
    for (name, app, comment) in [("n1", "of-nodes", "first"), ("n2", "of-n2", "other"), ("n3", "of-drpnodes", "other")]
    {
        let object = object_on(name, text);
        assert_eq!((object.app.as_str(), object.keywords["comment"].concat().as_str()), (app, comment), "{name}");
    }
    assert_eq!(object_on("n9", text).app, "plain");
}

#[test]
fn a_resource_knows_which_other_nodes_leave_it_alone() {
    let text = "\
[DEFAULT]
nodes = n1 n2 n3
drpnodes = n4
[env]
off = true
[disk#1]
type = loop
file = /srv/a
disable = true
disable@n2 = false
[disk#2]
type = loop
file = /srv/b
disable@n2 = yes
disable@drpnodes = on
[disk#3]
type = loop
file = /srv/c
disable@n2 = {env.off}
";
    let of = |node: &str, rid: &str| {
        let object = object_on(node, text);
        let rid: Rid = rid.parse().unwrap();
        names(&object.resource(&rid).unwrap().disabled_on).join(" ")
    };
    assert_eq!((of("n1", "disk#1"), of("n2", "disk#1")), ("n3 n4".to_owned(), "n1 n3 n4".to_owned()));
    assert_eq!((of("n1", "disk#2"), of("n2", "disk#2")), ("n2 n4".to_owned(), "n4".to_owned()));
    assert_eq!(of("n1", "disk#3"), "", "only n2 knows");
}

#[test]
fn references_resolve_in_every_form() {
    let text = "\
[DEFAULT]
nodes = n1 n2
app = shop
[env]
dir = /srv/{name}
my-key = a b c
[fs#data-1]
type = ext4
dev = /dev/{env.my-key[1]}
mnt = {env.dir}/{rindex}
comment = VALUE
[app#1]
start = /bin/true
";
    let check = |value: &str, expected: &str| {
        let text = format!("{text}comment = {value}\n");
        assert_eq!(eval_on("n1", &text, "app#1.comment"), Ok(vec![expected.to_owned()]), "{value}");
    };
    check("{start}", "/bin/true");
    check("{app}", "shop");
    check("{.app} {DEFAULT.app}", "shop shop");
    check("{fs#data-1.mnt}", "/srv/web/data-1");
    check("{fs#data-1.dev}", "/dev/b");
    check("{env.my-key} {#env.my-key}", "a b c 3");
    check("{nodes} {#nodes} {nodes[1]}", "n1 n2 2 n2");
    check("{upper:app} {capitalize:app}", "SHOP Shop");
    check("{node.prkey} {node.env.bridge} {node.labels.rack-1}", "0x1 br7 left");
    check("{nodename} {short_nodename} {rid} {rindex} {rgroup}", "n1 n1 app#1 1 app");
    check("{name} {svcname} {namespace} {kind} {path} {fqdn}", "web web ns1 svc ns1/svc/web web.ns1.svc.lab");
    check("$({#nodes} * 2 + 1)", "5");
    check("{flex_min} {flex_max} {flex_target} {topology}", "1 2 1 failover");
    check("${HOME} {{.ID}} $(date) \\{app} \\$(1+1)", "${HOME} {{.ID}} $(date) {app} $(1+1)");
}

#[test]
fn a_key_that_names_its_scope_reads_that_line() {
    let text = "[env]\ndir = /a\ndir@n2 = /b/{name}\n";
    assert_eq!(eval_on("n1", text, "env.dir"), Ok(vec!["/a".to_owned()]));
    assert_eq!(eval_on("n1", text, "env.dir@n2"), Ok(vec!["/b/web".to_owned()]));
    assert!(matches!(eval_on("n1", text, "env.dir@n3"), Err(ReadError::Unset(_))));
}

#[test]
fn keywords_are_inherited_where_the_driver_says_so() {
    let text = "[DEFAULT]\ngce_zone = west\n[disk#1]\ntype = gce\n[disk#2]\ntype = gce\ngce_zone = east\n";
    assert_eq!(eval_on("n1", text, "disk#1.gce_zone"), Ok(vec!["west".to_owned()]));
    assert_eq!(eval_on("n1", text, "disk#2.gce_zone"), Ok(vec!["east".to_owned()]));
    let old = "[DEFAULT]\ndocker_data_dir = /data\n[container#1]\nimage = a\n";
    assert_eq!(eval_on("n1", old, "container#1.container_data_dir"), Ok(vec!["/data".to_owned()]));
}

/// The bounds of a flex object, and how many instances are wanted.
fn flex(object: &Object) -> Option<(u32, Option<u32>, u32)> {
    match object.topology {
        Topology::Flex { min, max, target } => Some((min, max, target)),
        Topology::Failover => None,
    }
}

#[test]
fn the_object_has_its_defaults_and_what_is_written() {
    let object = object_on("n1", "");
    assert_eq!(names(&object.nodes), ["n1"]);
    assert_eq!((object.topology, object.orchestrate), (Topology::Failover, OrchestrateMode::No));
    let bounds = ["flex_min", "flex_max", "flex_target"].map(|name| object.keywords[name].concat());
    assert_eq!((bounds.join(" ").as_str(), object.priority), ("1 1 1", 50));
    assert!(object.rollback && object.show_disabled && object.provision && !object.disable);
    assert_eq!(object.timeouts.of(Verb::Start), Duration::from_secs(3600));
    let text = "\
[DEFAULT]
nodes = n*
topology = flex
flex_target = 9
flex_max = 2
rollback = no
stop_timeout = 5m
";
    let object = object_on("n2", text);
    assert_eq!(names(&object.nodes), ["n1", "n2", "n3"]);
    assert_eq!((flex(&object), object.rollback), (Some((1, Some(2), 2)), false));
    assert_eq!(object.timeouts.of(Verb::Stop), Duration::from_secs(300));
}

#[test]
fn resources_are_in_the_order_of_their_ids() {
    let text = "\
[app#10]
[app#2]
tags = web front
subset = a
restart = 2
start_timeout = 10s
start_requires = fs#1(up,stdby up) app#10
blocking_pre_start = /bin/check {rid}
post_stop = rm -f /run/{name}.pid && sync
[fs#1]
type = flag
standby@n1 = true
disable@n2 = true
[sync#1]
[task#1]
optional = false
[app#3]
tags = noaction encap
[subset#app:a]
parallel = true
";
    let object = object_on("n1", text);
    let rids: Vec<String> = object.resources.iter().map(|resource| resource.rid.to_string()).collect();
    assert_eq!(rids, ["fs#1", "app#2", "app#3", "app#10", "sync#1", "task#1"]);
    let resource = |rid: &str| object.resource(&rid.parse().unwrap()).unwrap();
    let app = resource("app#2");
    assert_eq!(
        (app.driver.to_string().as_str(), app.subset.as_ref().map(SubsetName::as_str), app.restart),
        ("app.forking", Some("a"), 2)
    );
    assert_eq!(
        (app.restart_delay, app.timeouts.of(Verb::Start)),
        (Duration::from_millis(500), Duration::from_secs(10))
    );
    assert_eq!(app.tags, ["web", "front"]);
    let required: Vec<(String, Vec<State>)> = app.requires[&Verb::Start]
        .iter()
        .map(|requirement| (requirement.rid.to_string(), requirement.accepted()))
        .collect();
    let up = || vec![State::Up, State::StdbyUp];
    assert_eq!(required, [("fs#1".to_owned(), up()), ("app#10".to_owned(), up())]);
    let trigger = |blocking, when, verb| &app.triggers[&Trigger { blocking, when, verb }];
    assert_eq!(*trigger(true, TriggerTime::Pre, Verb::Start), ["/bin/check", "app#2"]);
    assert_eq!(*trigger(false, TriggerTime::Post, Verb::Stop), ["/bin/sh", "-c", "rm -f /run/web.pid && sync"]);
    assert!(resource("fs#1").standby && !resource("fs#1").disable);
    assert!(resource("sync#1").optional && !resource("task#1").optional && !app.optional);
    assert!(resource("app#3").optional && resource("app#3").encap);
    let is_parallel = |name: &str| object.is_parallel(model::Group::App, &name.parse().unwrap());
    assert!(is_parallel("a") && !is_parallel("b"));
    let schedule = resource("sync#1").schedule.as_ref().unwrap();
    assert_eq!((schedule.keyword.as_str(), schedule.text.as_str()), ("DEFAULT.sync_schedule", "04:00-06:00"));
}

#[test]
fn old_spellings_mean_the_new_ones() {
    let text = "\
[DEFAULT]
nodes = n1 n2
cluster_type = flex
autostart_node = n2

[loop#1]
file = /a
always_on = nodes

[disk#2]
type = lvm
vgname = data
always_on = drpnodes n3

[ip#1]
type = docker
ipname = 10.0.0.1
container_rid = container#1

[container#1]
run_image = nginx
";
    let object = object_on("n1", text);
    assert_eq!((flex(&object), object.orchestrate), (Some((1, Some(2), 1)), OrchestrateMode::Start));
    assert_eq!(names(&object.nodes), ["n2", "n1"]);
    let shown: Vec<String> =
        object.resources.iter().map(|r| format!("{} {} {} {}", r.rid, r.section, r.driver, r.standby)).collect();
    let expected = [
        "ip#1 ip#1 ip.netns false",
        "disk#1 loop#1 disk.loop true",
        "disk#2 disk#2 disk.vg false",
        "container#1 container#1 container.docker false",
    ];
    assert_eq!(shown, expected);
    assert_eq!(object.resources[0].joins, Some("container#1".parse().unwrap()));
    assert_eq!(eval_on("n1", text, "disk#1.file"), Ok(vec!["/a".to_owned()]));
    assert_eq!(eval_on("n1", text, "loop#1.file"), Ok(vec!["/a".to_owned()]));
    assert_eq!(eval_on("n1", text, "container#1.image"), Ok(vec!["nginx".to_owned()]));
    assert_eq!(eval_on("n1", text, "container#1.run_image"), Ok(vec!["nginx".to_owned()]));
}

struct Disk(Vec<String>);

impl ExposureLookup for Disk {
    fn exposed(&self, rid: &Rid, exposure: Exposure) -> Option<Vec<String>> {
        (exposure == Exposure::Devices && rid.to_string() == "disk#1").then(|| self.0.clone())
    }
}

/// The keywords in short: name=values, then what is missing.
fn shown(evaluation: &KeywordEvaluation) -> Vec<String> {
    let keywords = evaluation.keywords.iter().map(|keyword| {
        let from = keyword.provenance.resource().map(|rid| format!(" from {rid}")).unwrap_or_default();
        let secret = if keyword.secret { " secret" } else { "" };
        format!("{}={:?}{from}{secret}", keyword.name, keyword.values)
    });
    keywords.chain(evaluation.missing.iter().map(ToString::to_string)).collect()
}

#[test]
fn values_that_only_the_driver_knows_are_filled_in_when_the_resource_acts() {
    let text = "\
[disk#1]
type = loop
file = /srv/{name}.img
size = 1.5g
[fs#1]
type = ext4
dev = {disk#1.exposed_devs[0]}
mnt = /srv/web/
mode = 0750
mnt_opt = {#disk#1.exposed_devs}
[fs#2]
type = ext4
dev = {fs#1.dev}p1
mnt = /srv
";
    let object = object_on("n1", text);
    let evaluate = |rid: &str, devices: &[&str]| {
        let resource = object.resource(&rid.parse().unwrap()).unwrap();
        shown(&resource.evaluate(&Disk(devices.iter().map(|device| (*device).to_owned()).collect())))
    };
    assert_eq!(evaluate("disk#1", &[]), [r#"file=["/srv/web.img"]"#, r#"size=["1610612736"]"#]);
    let up =
        [r#"dev=["/dev/loop3"] from disk#1"#, r#"mnt=["/srv/web"]"#, r#"mnt_opt=["1"] from disk#1"#, r#"mode=["488"]"#];
    assert_eq!(evaluate("fs#1", &["/dev/loop3"]), up);
    assert_eq!(evaluate("fs#2", &["/dev/loop3"])[0], r#"dev=["/dev/loop3p1"] from disk#1"#);
    let down = [
        r#"mnt=["/srv/web"]"#,
        r#"mode=["488"]"#,
        "dev refers to disk#1, which exposes no device now",
        "mnt_opt refers to disk#1, which exposes no device now",
    ];
    assert_eq!(evaluate("fs#1", &[]), down);
    let speaks_of = object.resources[2].speaks_of(false);
    assert_eq!(speaks_of, [&"disk#1".parse::<Rid>().unwrap()]);
}

struct Volumes;

impl ExposureLookup for Volumes {
    fn exposed(&self, rid: &Rid, exposure: Exposure) -> Option<Vec<String>> {
        (exposure == Exposure::MountPoint).then(|| vec![format!("/srv/{}", rid.index())])
    }
}

#[test]
fn a_volume_is_named_by_its_mount_point_and_by_its_name() {
    let text = "\
[volume#0]
[volume#certs]
name = {name}-certs
access = rox
[fs#1]
type = ext4
dev = {volume#0.exposed_devs[0]}
mnt = {volume#certs.mnt}/x
[container#1]
type = docker
image = nginx
volume_mounts = web-vol-0/data:/data {volume#0.mnt}/a:/a:rw {volume#certs.name}:/certs
    web-certs/b:/b:rw other:/other /web-vol-0:/c web-vol-0
";
    let object = object_on("n1", text);
    let evaluate = |rid: &str, exposed: &dyn ExposureLookup| {
        shown(&object.resource(&rid.parse().unwrap()).unwrap().evaluate(exposed))
    };
    let mounts = [
        "/srv/0/data:/data",
        "/srv/0/a:/a:rw",
        "/srv/certs:/certs:ro",
        "/srv/certs/b:/b:rw",
        "other:/other",
        "/web-vol-0:/c",
        "web-vol-0",
    ];
    let expected = format!("volume_mounts={mounts:?} from volume#0");
    assert_eq!(evaluate("container#1", &Volumes), [r#"image=["nginx"]"#.to_owned(), expected]);
    let down = [
        "dev refers to volume#0, which exposes no device now",
        "mnt refers to volume#certs, which exposes no mount point now",
    ];
    assert_eq!(evaluate("fs#1", &()), down);
    assert_eq!(eval_on("n1", text, "volume#certs.name"), Ok(vec!["web-certs".to_owned()]));
    let needed = object.resource(&"container#1".parse().unwrap()).unwrap().speaks_of(false);
    assert_eq!(needed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["volume#0", "volume#certs"]);
}

#[test]
fn keywords_of_provision_may_refer_to_what_another_disk_exposes() {
    let disk = "[disk#1]\ntype = loop\nfile = /srv/a.img\n";
    let fs = "type = btrfs\ndev = LABEL=web\nmnt = /srv\n";
    let object = object_on("n1", &format!("{disk}[fs#1]\n{fs}[fs#2]\n{fs}"));
    let (beside, alone) = (&object.resources[1], &object.resources[2]);
    let speaks_of = |resource: &Resource, provisioning| {
        resource.speaks_of(provisioning).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!((speaks_of(beside, false), speaks_of(beside, true)), (vec![], vec!["disk#1".to_owned()]));
    assert_eq!(speaks_of(alone, true), [""; 0]);
    let up = Disk(vec!["/dev/loop3".to_owned()]);
    assert!(shown(&beside.evaluate(&up)).contains(&r#"mkfs_dev=["/dev/loop3"] from disk#1"#.to_owned()));
    let absent = [r#"dev=["LABEL=web"]"#, r#"mnt=["/srv"]"#];
    assert_eq!(
        (shown(&beside.evaluate(&())), shown(&alone.evaluate(&up))),
        (absent.map(str::to_owned).into(), absent.map(str::to_owned).into())
    );
}

#[test]
fn secrets_stay_secret_wherever_they_are_referred_to() {
    let text = "[app#1]\ntype = simple\nstart = /bin/a\npassword = x\n[app#2]\ntype = simple\nstart = /bin/b {app#1.password}\n";
    let object = object_on("n1", text);
    assert_eq!(shown(&object.resources[0].evaluate(&())), [r#"start=["/bin/a"]"#, r#"password=["x"] secret"#]);
    assert_eq!(shown(&object.resources[1].evaluate(&())), [r#"start=["/bin/b", "x"] secret"#]);
}

#[test]
fn keys_are_read_as_written_and_as_meant() {
    let text =
        "[DEFAULT]\nnodes = n1 n2\napp@n2 = two\n[env]\nx = {app}\n[data]\ny = {app}\nz@n1 = 1\n[fs#1]\ntype = flag\n";
    let eval = |name: &str, key: &str| {
        eval_on(name, text, key).map(|values| values.join(" ")).map_err(|error| error.to_string())
    };
    assert_eq!(eval("n1", "app"), Ok("default".to_owned()));
    assert_eq!(eval("n2", "app"), Ok("two".to_owned()));
    assert_eq!(eval("n1", "app@n2"), Ok("two".to_owned()));
    assert_eq!(eval("n2", "env.x"), Ok("two".to_owned()));
    assert_eq!(eval("n2", "data.y"), Ok("{app}".to_owned()));
    assert_eq!(eval("n2", "data.z@n1"), Ok("1".to_owned()));
    assert_eq!(eval("n1", "fs#1.disable"), Ok("false".to_owned()));
    assert_eq!(eval("n1", "fs#1.nope"), Err("there is no keyword fs#1.nope".to_owned()));
    assert_eq!(eval("n1", "comment"), Err("comment is not set".to_owned()));
    let (path, document, node, drivers) = (path(), Document::parse(text), node("n1"), Drivers::new());
    let reader = KeywordReader::new(&path, &document, &node, &drivers);
    assert_eq!(reader.get(&"env.x".parse().unwrap()), Some("{app}"));
    assert_eq!(reader.get(&"app".parse().unwrap()), None);
    assert_eq!(reader.get(&"app@n2".parse().unwrap()), Some("two"));
    assert_eq!(reader.sections("fs").collect::<Vec<_>>(), ["fs#1"]);
}

/// The service of the year 2016 whose configuration a form made: every resource of every pod on its node alone.
#[test]
fn the_service_of_2016_loads_as_it_was_written() {
    let object = object_on("n2", include_str!("spider.conf"));
    let shown: Vec<String> = object
        .resources
        .iter()
        .map(|r| {
            let subset = r.subset.as_ref().map_or("-", SubsetName::as_str);
            format!("{} {} {subset} disabled={} standby={}", r.rid, r.driver, r.disable, r.standby)
        })
        .collect();
    let expected = [
        "ip#01sm ip.netns - disabled=true standby=false",
        "ip#01smg ip.gce cge disabled=true standby=false",
        "ip#02sm ip.netns - disabled=false standby=false",
        "ip#02smg ip.gce cge disabled=false standby=false",
        "disk#00 disk.gce gce disabled=false standby=true",
        "disk#01 disk.gce cge disabled=true standby=true",
        "disk#02 disk.gce cge disabled=false standby=true",
        "fs#00 fs.btrfs - disabled=false standby=false",
        "fs#01 fs.ext4 - disabled=true standby=false",
        "fs#02 fs.ext4 - disabled=false standby=false",
        "container#01sm container.docker containers disabled=true standby=false",
        "container#02sm container.docker containers disabled=false standby=false",
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        (flex(&object), object.orchestrate, object.rollback),
        (Some((1, Some(2), 1)), OrchestrateMode::Start, false)
    );
    assert!(!object.show_disabled && object.is_parallel(model::Group::Container, &"containers".parse().unwrap()));
    let container = shown_keywords(&object, "container#02sm");
    assert_eq!(
        container[1],
        r#"run_args=["--net=none", "-e", "MYSQL_ROOT_PASSWORD=secret", "-v", "/etc/localtime:/etc/localtime:ro", "-v", "/svc/pod02/sm/data:/var/lib/mysql:rw"]"#
    );
    assert_eq!(container[2], r#"container_data_dir=["/svc/docker"]"#);
    assert_eq!(
        shown_keywords(&object, "disk#00"),
        [r#"names=["svc-n2"]"#, r#"size=["21474836480"]"#, r#"gce_zone=["europe-west1-b"]"#]
    );
    let fs = object.resource(&"fs#02".parse().unwrap()).unwrap();
    let trigger = Trigger { blocking: false, when: TriggerTime::Post, verb: Verb::Provision };
    assert_eq!(fs.triggers[&trigger][..2], ["/bin/sh", "-c"]);
}

fn shown_keywords(object: &Object, rid: &str) -> Vec<String> {
    shown(&object.resource(&rid.parse().unwrap()).unwrap().evaluate(&()))
}

#[test]
fn a_value_says_whose_word_it_is() {
    let text = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = /srv/a\n[fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\n\
                mnt = /mnt\n[app#1]\ntype = simple\nstart = /bin/x\nsecrets = db/*\n";
    let object = object_on("n1", text);
    let of = |rid: &str, name: &str| {
        let resource = object.resource(&rid.parse().unwrap()).unwrap();
        resource.keywords.iter().find(|keyword| keyword.name == name).unwrap().provenance.clone()
    };
    assert_eq!(of("disk#1", "file"), Provenance::Written { line: 5 });
    assert_eq!(of("disk#1", "size"), Provenance::BuiltInDefault);
    assert_eq!(of("fs#1", "dev"), Provenance::exposed_by("disk#1".parse().unwrap()));
    assert_eq!(of("app#1", "secrets"), Provenance::Store(model::ObjectKind::Sec));
}

#[test]
fn a_third_partys_default_is_for_its_driver_alone() {
    let object = object_on("n1", "[app#1]\ntype = foreign\n");
    let [resource] = &object.resources[..] else { panic!("one resource") };
    let known: Vec<(&str, &Provenance)> =
        resource.keywords.iter().map(|keyword| (keyword.name.as_str(), &keyword.provenance)).collect();
    // Neither the default that refers to another keyword, nor the one of a store, nor the one in the place of the core's.
    assert_eq!(known, [("own", &Provenance::ThirdPartyDefault), ("other", &Provenance::ThirdPartyDefault)]);
    assert!(resource.triggers.is_empty(), "{:?}", resource.triggers);
    assert!(resource.requires.is_empty() && !resource.standby);
    let written = object_on("n1", "[app#1]\ntype = foreign\nown = /srv/mine\nvars = db/*\n");
    let of = |name: &str| written.resources[0].keywords.iter().find(|keyword| keyword.name == name).unwrap();
    assert_eq!(of("own").provenance, Provenance::Written { line: 3 });
    assert_eq!(of("vars").provenance, Provenance::Store(model::ObjectKind::Sec));
}

#[test]
fn nothing_refers_to_a_third_partys_default() {
    for line in ["dev = {app#1.own}", "dev = x{upper:app#1.own}", "dev = {#app#1.own}", "dev = {other}"] {
        let text = format!("[app#1]\ntype = foreign\n[fs#1]\ntype = ext4\nmnt = /mnt\n{line}\n");
        let loaded = load(&path(), &text, &node("n1"), &Drivers::new());
        let problems: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(
            problems.iter().any(|problem| problem.contains("the default of an installed driver")),
            "{line}: {problems:?}"
        );
    }
    let text = "[app#1]\ntype = foreign\nown = /srv/mine\n[fs#1]\ntype = ext4\nmnt = /mnt\ndev = {app#1.own}\n";
    assert_eq!(eval_on("n1", text, "fs#1.dev").unwrap(), ["/srv/mine"]);
}

#[test]
fn a_cluster_has_fences_and_an_object_has_none() {
    let text = "[cluster]\nname = lab\nwhatever = 1\n[stonith#n2]\ncmd = /bin/off n2\n[fence#pdu]\nnodes = n3\ncommand = /bin/off\n";
    let loaded = load(&ObjectPath::cluster(), text, &node("n1"), &Drivers::new());
    let cluster = loaded.object.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let fence = |rid: &str, keyword: &str| {
        let resource = cluster.resource(&rid.parse().unwrap()).unwrap();
        resource.evaluate(&()).keywords.iter().find(|value| value.name == keyword).unwrap().values.clone()
    };
    assert_eq!(cluster.resources.len(), 2);
    assert_eq!(
        (fence("fence#n2", "nodes"), fence("fence#n2", "command")),
        (vec!["n2".to_owned()], vec!["/bin/off".to_owned(), "n2".to_owned()])
    );
    assert_eq!(fence("fence#pdu", "nodes"), ["n3"]);
    let said: Vec<_> = loaded.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(said, ["[stonith#n2] is an old kind of section", "fence#n2.cmd is an old name"]);
    for section in ["stonith#n2", "fence#n2"] {
        let refused = load(&path(), &format!("[{section}]\ncommand = /bin/off\n"), &node("n1"), &Drivers::new());
        let found = refused.diagnostics.iter().map(|problem| problem.message.as_str());
        assert!(found.into_iter().any(|text| text == format!("no section [{section}] in an object of kind svc")));
    }
}
