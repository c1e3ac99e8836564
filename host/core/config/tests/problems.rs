//! The mistakes of a configuration, all reported at once with their position.

mod support;

use config::diagnostic::{Diagnostic, LineIndex};
use config::{load, validate};
use support::{Drivers, node, path};

fn show(text: &str, diagnostic: &Diagnostic) -> String {
    format!("{} {}: {diagnostic}", diagnostic.position(text), diagnostic.severity)
}

/// The problems of a configuration on n1, a line each: line:column severity: message: label.
fn problems(text: &str) -> Vec<String> {
    let loaded = load(&path(), text, &node("n1"), &Drivers::new());
    assert_eq!(loaded.document.text(), text);
    assert_eq!(loaded.object.is_none(), loaded.diagnostics.iter().any(Diagnostic::is_error));
    loaded.diagnostics.iter().map(|diagnostic| show(text, diagnostic)).collect()
}

/// The problems on every node of the object.
fn all_problems(text: &str) -> Vec<String> {
    let diagnostics = validate(&path(), text, &node("n1"), &Drivers::new());
    let lines = LineIndex::of(text);
    let show = |diagnostic: &Diagnostic| {
        format!("{} {}: {diagnostic}", lines.position(diagnostic.span.start), diagnostic.severity)
    };
    diagnostics.iter().map(show).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(problems(text), expected, "{text}");
}

#[test]
fn references_to_stores_are_those_of_the_objects_namespace() {
    let check = |words: &str, expected: &[&str]| {
        check(&format!("[app#1]\ntype = simple\nstart = /bin/a\nsecrets = {words}\n"), expected);
    };
    check("PASSWORD=db/password db/* 'PIN=db/pin'", &[]);
    check(
        "A=db/a B=db",
        &[
            "4:11 error: app#1.secrets holds \"B=db\", which refers to no key: expected [NAME=]STORE/KEY or STORE/PATTERN, of a \
           store of kind sec",
        ],
    );
    check(
        "A=ns2/sec/db/a",
        &["4:11 error: app#1.secrets holds \"A=ns2/sec/db/a\", which refers to no key: ns2/sec/db is of another \
           namespace: an object of ns1 uses stores of ns1"],
    );
}

#[test]
fn values_of_a_store_are_what_it_may_hold() {
    let check = |store: &str, line: &str, expected: &[&str]| {
        let text = format!("[data]\n{line}\n");
        let loaded = load(&store.parse().unwrap(), &text, &node("n1"), &Drivers::new());
        let shown: Vec<String> = loaded.diagnostics.iter().map(|diagnostic| show(&text, diagnostic)).collect();
        assert_eq!(shown, expected, "{store} {line}");
    };
    check("sec/db", "a = crypt:AAAA", &[]);
    check(
        "sec/db",
        "a = s3cret",
        &["2:1 error: the value of a is not encrypted: expected what om sec/db add --key a writes"],
    );
    check("cfg/db", "a = any text", &[]);
    check(
        "cfg/db",
        "a = base64:?",
        &["2:1 error: the value of a is not base64: expected what om cfg/db add --key a writes"],
    );
    check("web", "a = crypt:?", &[]);
}

#[test]
fn ten_mistakes_are_reported_in_one_run() {
    let text = "\
[DEFAULT]
nodes = n1 n2
topology = ring
rolback = false

[disk#1]
type = loop
file = srv/web.img
size = 12parsecs

[fs#1]
type = ext5
dev = {disk#2.exposed_devs[0]}

[container#1]
type = docker
run_image = nginx
start_requires = disk#1 fs#9(up)
disable@n7 = true

[apps#1]
[task#1]
schedule@n1 = @10
type@n1 = host
junk
";
    check(
        text,
        &[
            "3:12 error: unknown value for topology: expected failover or flex",
            "4:1 error: unknown keyword rolback: did you mean rollback?",
            "8:8 error: disk#1.file is not a path: expected an absolute path without .., such as /srv/web",
            "9:8 error: disk#1.size is not a size: expected a number with an optional unit, such as 512m or 20g",
            "12:8 error: unknown driver fs.ext5: did you mean ext4?",
            "17:1 warning: container#1.run_image is an old name: now called image",
            "18:25 error: container#1.start_requires names fs#9: did you mean fs#1?",
            "19:9 warning: unknown node n7 in a scope: did you mean n1?",
            "21:2 error: unknown section [apps#1]: did you mean app?",
            "24:6 error: task#1.type cannot be scoped: expected no @ here",
            "25:1 error: not a line of a configuration: expected key = value or [section]",
        ],
    );
}

#[test]
fn a_keyword_that_a_driver_requires_is_missed() {
    check("[fs#1]\ntype = ext4\ndev = /dev/sda\n", &["1:2 error: fs#1.mnt is not set: expected mnt = …"]);
    check("[disk#1]\ntype = loop\n", &["1:2 error: disk#1.file is not set: expected file = /srv/{name}.img"]);
    check("[disk#1]\n", &["1:2 error: disk#1 has no type: expected type = loop, gce or vg"]);
    check("[share#1]\ntype = x\n", &["2:8 error: unknown driver share.x: there is no driver of group share"]);
    check(
        "[fs#]\n",
        &["1:2 error: \"fs#\" is not a resource id: the part after # is made of letters, digits, - _ and .: \
         expected an id, such as #1"],
    );
}

#[test]
fn a_keyword_of_another_driver_is_recognised() {
    let label = "a keyword of disk.loop, not of disk.vg";
    check("[disk#1]\ntype = vg\nname = a\nfile = /a\n", &[&format!("4:1 error: unknown keyword disk#1.file: {label}")]);
}

#[test]
fn scopes_are_checked() {
    let netmask = "[ip#1]\nnetmask@n1 = 24\n";
    check(netmask, &["2:9 error: ip#1.netmask cannot be scoped: expected no @ here"]);
    check("[DEFAULT]\nnodes = n1\napp@drpnodes = a\napp@n2 = b\n", &[]);
    check("[env]\nx@n9 = 1\n[labels]\na@b = 1\n", &["2:3 warning: unknown node n9 in a scope: did you mean n1?"]);
}

#[test]
fn values_of_other_nodes_are_checked_as_far_as_they_stand_for_themselves() {
    let text = "[DEFAULT]\nnodes = n1 n2\n[disk#1]\ntype = loop\nfile = /a\nsize@n2 = big\n";
    let expected =
        "6:11 error: disk#1.size is not a size: expected a number with an optional unit, such as 512m or 20g";
    check(text, &[expected]);
}

#[test]
fn validate_asks_every_node() {
    let text = "[DEFAULT]\nnodes = n1 n2\n[env]\nfile@n1 = /a\n[disk#1]\ntype = loop\nfile = {env.file}\n";
    check(text, &[]);
    assert_eq!(all_problems(text), ["7:8 error: {env.file} does not resolve: file is not set in [env]"]);
    let elsewhere = "[DEFAULT]\nnodes = n2 n3\n[disk#1]\ntype = loop\nfile@n2 = /a\nfile@n3 = /b\n";
    assert_eq!(all_problems(elsewhere), Vec::<String>::new());
}

#[test]
fn references_that_do_not_resolve_are_errors() {
    let check = |value: &str, expected: &str| {
        let text = format!("[DEFAULT]\ncomment = {value}\n[env]\nwords = a b\nword = x\n");
        assert_eq!(problems(&text), [format!("2:{expected}")], "{value}");
    };
    let literal = "(braces that the program is to see are written ";
    check(
        "{foo}",
        &format!("11 error: {{foo}} does not resolve: there is no keyword foo in [DEFAULT] {literal}\\{{foo}})"),
    );
    check("a {env.nope}", "13 error: {env.nope} does not resolve: nope is not set in [env]");
    check("{fs#1.dev}", "11 error: {fs#1.dev} does not resolve: there is no section [fs#1]");
    check(
        "{disk#1.exposed_devs[0]}",
        "11 error: {disk#1.exposed_devs[0]} does not resolve: there is no section [disk#1]",
    );
    check("{env.words[2]}", "11 error: {env.words[2]} does not resolve: it has 2 words, [0] to [1]");
    check("{node.env.x}", "11 error: {node.env.x} does not resolve: env.x is not set in the configuration of node n1");
    check("{pre_monitor_action}", "11 error: {pre_monitor_action} does not resolve: pre_monitor_action is not set");
    check("$(1 / 0)", "11 error: $(1 / 0) has no value: division by zero");
    check("$(1 + {env.word})", "17 error: $(1 + {env.word}) has no value: \"x\" is not a number");
    check(
        "{rid}",
        &format!("11 error: {{rid}} does not resolve: there is no keyword rid in [DEFAULT] {literal}\\{{rid}})"),
    );
}

#[test]
fn every_problem_of_a_value_is_reported() {
    let text = "[env]\na = {env.q} {env.r} {zz.y}\n[DEFAULT]\ncomment = {env.s} $(1 / 0)\n";
    check(
        text,
        &[
            "2:5 error: {env.q} does not resolve: q is not set in [env]",
            "2:13 error: {env.r} does not resolve: r is not set in [env]",
            "2:21 error: {zz.y} does not resolve: there is no section [zz]",
            "4:11 error: {env.s} does not resolve: s is not set in [env]",
            "4:19 error: $(1 / 0) has no value: division by zero",
        ],
    );
}

#[test]
fn a_value_that_only_another_node_knows_is_reported_once_and_not_as_an_error() {
    let head = "[DEFAULT]\nnodes = n1 n2 n3\n";
    assert_eq!(all_problems(&format!("{head}comment = {{node.env}} {{node.host_mode}}\n")), Vec::<String>::new());
    let unset = "x is not set in the configuration of node n1";
    assert_eq!(
        all_problems(&format!("{head}comment = {{node.labels.x}}\n")),
        [format!("3:11 error: {{node.labels.x}} does not resolve: labels.{unset}")],
    );
    let elsewhere = format!("labels.{unset}, and those of other nodes are not here");
    assert_eq!(
        all_problems(&format!("{head}comment@n2 = {{node.labels.x}}\ncomment@n3 = {{node.labels.x}}\n")),
        [3, 4].map(|line| format!("{line}:14 warning: {{node.labels.x}} does not resolve here: {elsewhere}")),
    );
}

#[test]
fn names_and_schedules_are_checked() {
    let example = "HH:MM-HH:MM[@interval] [days] [weeks] [months], such as 03:00-05:00 mon-fri, or @10";
    let schedule = |at: &str, key: &str, word: &str| {
        format!("{at} error: {key} is not a schedule: expected {example}: \"{word}\" is not a time of day")
    };
    check("[fs#1]\ntype = flag\nschedule = foo\n", &[&schedule("3:12", "fs#1.schedule", "foo")]);
    check("[DEFAULT]\nmonitor_schedule = bar\n", &[&schedule("2:20", "monitor_schedule", "bar")]);
    let subset = "expected letters, digits, - _ and ., such as web";
    for name in ["../x", "a b"] {
        let message = format!("3:10 error: fs#1.subset is not the name of a subset: {subset}");
        check(&format!("[fs#1]\ntype = flag\nsubset = {name}\n"), &[&message]);
    }
    check(
        "[DEFAULT]\nparents = web@n1 Bad/x/y/z\nhard_affinity = web@n1\n",
        &[
            "2:11 error: parents names \"Bad/x/y/z\", which is not the path of an object: expected <path>[@<node>], such as ns1/svc/web",
            "3:17 error: hard_affinity names \"web@n1\", which is not the path of an object: expected the path of an object, such as \
             ns1/svc/web",
        ],
    );
    check(
        "[DEFAULT]\nnodes =\n",
        &["2:8 error: nodes names no nodes: expected names of nodes; without the line, it is this node alone"],
    );
    check(
        "[DEFAULT]\nflex_min = -1\n",
        &["2:12 error: flex_min is out of range: expected an integer from 0 to 4294967295"],
    );
    check(
        "[fs#1]\ntype = flag\nrestart = -5\n",
        &["3:11 error: fs#1.restart is out of range: expected an integer from 0 to 100"],
    );
    check(
        "[fs#1]\ntype = flag\nrestart = 1000\n",
        &[
            "3:11 warning: fs#1.restart is more than the daemon counts: it restarts 100 times in 10 minutes: expected an integer from 0 to 100",
        ],
    );
    check("[fs#1]\ntype = flag\nrestart = 100\n", &[]);
    check(
        "[fs#1]\ntype = flag\nmonitor_action = freezestop\n",
        &["3:1 error: unknown keyword fs#1.monitor_action: a keyword of the object: it belongs in [DEFAULT]"],
    );
}

#[test]
fn an_unknown_keyword_leaves_a_partial_object() {
    let text = "[DEFAULT]\ngce_zone = z\n[fs#1]\ntype = flag\ncolour = red\n[disk#1]\ntype = floppy\nsize = x\n";
    let loaded = load(&path(), text, &node("n1"), &Drivers::new());
    assert!(loaded.object.is_none());
    let partial = loaded.partial.expect("the others can act");
    assert_eq!(
        partial.resources.iter().map(|resource| resource.rid.to_string()).collect::<Vec<_>>(),
        ["disk#1", "fs#1"]
    );
    assert_eq!(loaded.diagnostics.iter().filter(|problem| problem.is_error()).count(), 3, "{:?}", loaded.diagnostics);
    let wrong = load(&path(), &text.replace("red", "red\nstandby = maybe"), &node("n1"), &Drivers::new());
    assert!(wrong.partial.is_none(), "what is known and wrong cannot be done without");
}

#[test]
fn loops_are_reported_once_with_their_position() {
    let text = "[env]\na = {env.b}\nb = x{env.c}\nc = {env.a}\n[DEFAULT]\ncomment = {env.b}\n";
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("a loop: env."), "{found:?}");
    check("[DEFAULT]\ncomment = {comment}\n", &["2:11 error: {comment} does not resolve: a loop: comment → comment"]);
}

#[test]
fn values_cannot_grow_or_nest_without_limit() {
    let mut text = String::from("[env]\na0 = 0123456789\n");
    for level in 1..40 {
        text += &format!("a{level} = {{env.a{}}}{{env.a{}}}\n", level - 1, level - 1);
    }
    assert!(problems(&text)[0].contains("the value becomes longer than a mebibyte"));
    let mut text = String::from("[env]\na0 = 1\n");
    for level in 1..1000 {
        text += &format!("a{level} = {{env.a{}}}\n", level - 1);
    }
    text += "[DEFAULT]\ncomment = {env.a999}\n";
    assert!(problems(&text).iter().all(|problem| problem.contains("more than 64 references")), "deep chains end");
}

#[test]
fn a_mistake_made_thousands_of_times_takes_no_longer_each_time() {
    let text = "[app#1]\ntype = forking\ntags = {rid}\n".repeat(20_000);
    assert_eq!(all_problems(&text).len(), 19_999, "it takes minutes where each one looks at all others");
}

#[test]
fn old_spellings_are_named() {
    let text = "\
[DEFAULT]
nodes = n1 n2
cluster_type = flex
service_type = PRD
autostart_node = n2
mode = hosted

[loop#1]
file = /a

[disk#2]
type = lvm
vgname = data
always_on = nodes

[ip#1]
type = docker
ipname = 10.0.0.1
container_rid = container#1

[container#1]
type = docker
run_image = nginx
";
    check(
        text,
        &[
            "3:1 warning: cluster_type is an old name: now called topology",
            "4:1 warning: service_type is an old name: now called env",
            "5:1 warning: autostart_node is an old name: now orchestrate = start, and the order of nodes",
            "6:1 warning: mode is an old name: no longer used",
            "8:2 warning: [loop#1] is an old kind of section: now [disk#1] with type = loop",
            "12:8 warning: disk type lvm is an old name: now called vg",
            "13:1 warning: disk#2.vgname is an old name: now called name",
            "14:1 warning: disk#2.always_on is an old name: now called standby",
            "17:8 warning: ip type docker is an old name: now called netns",
            "18:1 warning: ip#1.ipname is an old name: now called name",
            "19:1 warning: ip#1.container_rid is an old name: now called netns",
            "23:1 warning: container#1.run_image is an old name: now called image",
        ],
    );
}

#[test]
fn requirements_and_joined_containers_must_exist() {
    check("[app#1]\nstart_requires = app#1\n", &["2:18 error: app#1.start_requires names app#1: the resource itself"]);
    check(
        "[app#1]\nstop_requires = nobody\n",
        &["2:17 error: app#1.stop_requires does not parse: \"nobody\" is not a resource \
         id: expected <group>#<id>, such as fs#1"],
    );
    check(
        "[ip#1]\ntype = netns\nnetns = container#1\n",
        &["3:9 error: ip#1.netns names container#1: the object has no \
         such resource"],
    );
}

#[test]
fn a_cycle_is_reported_where_the_configuration_makes_it() {
    let flags = "[fs#1]\ntype = flag\nstart_requires = fs#2\n[fs#2]\ntype = flag\nstart_requires = fs#1(up)\n";
    let both = |rid| format!("{rid} would have to act both before and after");
    let chain = "error: these wait for each other: fs#1 → fs#2 → fs#1";
    check(flags, &[&format!("3:18 {chain}: {}", both("fs#2"))]);
    // A state that no action brings about must hold now, so its resource comes after: twice that is a cycle too, once an order.
    let downs = flags.replace("fs#1(up)", "fs#1(down)").replace("= fs#2", "= fs#2(down)");
    check(&downs, &[&format!("3:18 {chain}: {}", both("fs#2"))]);
    check(&flags.replace("fs#1(up)", "fs#1(down)"), &[]);
    check(&flags.replace("start_requires = fs#2", "start_requires = fs#2(down)"), &[]);
    check(&flags.replace("start_requires = fs#1(up)", "stop_requires = fs#1(down)"), &[]);
    check(&flags.replace("[fs#2]", "[fs#2]\ndisable = true"), &[]);
    // Against the order of groups: the addresses of a container come after it.
    let joined = "[ip#1]\ntype = netns\nnetns = container#1\n\
        [container#1]\ntype = docker\nimage = x\nstart_requires = ip#1\n";
    let chain = "error: these wait for each other: ip#1 → container#1 → ip#1";
    check(joined, &[&format!("7:18 {chain}: {}", both("ip#1"))]);
    check("[app#1]\ntype = forking\n[fs#1]\ntype = flag\nstart_requires = app#1\n", &[]);
}

#[test]
fn provision_starts_too_and_so_makes_cycles_of_both() {
    let text = "[fs#1]\ntype = flag\nprovision_requires = fs#2\n[fs#2]\ntype = flag\nstart_requires = fs#1\n";
    let chain = "these wait for each other: fs#1 → fs#2 → fs#1";
    check(text, &[&format!("3:22 error: {chain}: fs#2 would have to act both before and after")]);
    check(&text.replace("[fs#1]", "[fs#1]\nprovision = false"), &[]);
}

#[test]
fn a_disk_is_not_made_of_what_stands_on_it() {
    let text = "[disk#1]\ntype = loop\nfile = /a\nstart_requires = fs#1\n\
        [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = /b\n";
    let chain = "these wait for each other: disk#1 → fs#1 → disk#1";
    check(text, &[&format!("4:18 error: {chain}: fs#1 would have to act both before and after")]);
}

proptest::proptest! {
    #[test]
    fn no_configuration_panics(text in "(\\[(DEFAULT|env|fs#1|disk#1|drbd#1|subset#fs:a)\\]\n|(nodes|type|dev|size|start_requires|always_on|flex_max|x)(@n1)? = |\\{(env.x|nodes|#nodes|disk#1.exposed_devs|x)(\\[1\\])?\\}|\\$\\(|[a-z0-9 (){}\n]|.)*") {
        problems(&text);
    }
}

#[test]
fn a_section_whose_driver_is_missing_is_reported_once() {
    let text = "[disk#1]\ntype = zpool\nname = tank\n[fs#1]\ntype = ext4\ndev = {disk#1.name}/{disk#1.size}\nmnt = /a\nvg = x\n";
    check(
        text,
        &[
            "2:8 error: disk.zpool is not supported here: nothing here does what OpenSVC's zpool does",
            "8:1 error: fs#1.vg is not supported here: write a [disk#…] with type = lv, and dev = {disk#….exposed_devs[0]}",
        ],
    );
    check(
        "[expose#1]\nport = 1\n[app#1]\nstart = /bin/a {expose#1.port} {expose#1.x}\n",
        &["1:2 error: [expose#1] is not supported here: nothing here does what OpenSVC's expose does"],
    );
    check(
        "[fs#1]\ntype = jfs2\ndev = /dev/sda\n[disk#1]\ntype = vmdg\n[app#1]\nstart = /bin/a\nenable_on = n1\n",
        &[
            "2:8 error: fs.jfs2 is not supported here: nothing here does what OpenSVC's jfs2 does",
            "5:8 error: disk.vmdg is not supported here: nothing here does what OpenSVC's vmdg does",
            "8:1 error: app#1.enable_on is not supported here: set disable = true, and disable@NODE = false",
        ],
    );
}

#[test]
fn a_word_of_opensvc_is_no_typing_error() {
    check(
        "[DEFAULT]\nlock_timeout = 1s\n",
        &["2:1 warning: lock_timeout has no effect here: --waitlock says how long an action waits"],
    );
    check("[DEFAULT]\nscsireserv = no\n", &[]);
    check(
        "[DEFAULT]\nscsireserv = yes\n",
        &["2:1 error: scsireserv is not supported here: nothing reserves disks by SCSI"],
    );
    check("[container#1]\nimage = a\ndetach = true\n", &[]);
    check(
        "[fs#1]\ntype = ext3\ndev = /dev/sda\nmnt = /a\n",
        &["2:8 warning: fs type ext3 is an old name: now called ext4"],
    );
    check("[app#1]\nstart = /bin/a {dnsuxsock}\n", &["2:16 error: {dnsuxsock} does not resolve: not supported here"]);
}

#[test]
fn a_type_refers_to_what_is_the_same_on_each_node() {
    let volume = "dev = /dev/sda\nmnt = /a\n";
    check(&format!("[env]\nkind = {{env.family}}4\nfamily = ext\n[fs#1]\ntype = {{env.kind}}\n{volume}"), &[]);
    check(&format!("[env]\nkind = ext4\n[fs#1]\ntype = {{env.kind}}\n{volume}"), &[]);
    // A loop, and values that double, end as soon as they lead to too much.
    for env in [
        "kind = {env.kind}",
        &format!("kind = {}\na = {}\nb = {}", "{env.a}".repeat(500), "{env.b}".repeat(500), "{env.a}".repeat(500)),
    ] {
        let problems = problems(&format!("[env]\n{env}\n[fs#1]\ntype = {{env.kind}}\n{volume}"));
        assert!(
            problems.iter().any(|problem| problem.contains("the type \"{env.kind}\" does not resolve")),
            "{problems:?}"
        );
    }
    check(
        &format!("[env]\nkind@n1 = ext4\n[fs#1]\ntype = {{env.kind}}\n{volume}"),
        &[
            "4:8 error: the type \"{env.kind}\" does not resolve: expected the name of a driver, {env.NAME} of a line without a scope, \
         {name} or {namespace}",
        ],
    );
}

#[test]
fn what_a_required_keyword_lacks_is_said_at_its_line() {
    check("[fs#1]\ntype = ext4\ndev =\nmnt = /a\n", &["3:1 error: fs#1.dev is empty: expected dev = …"]);
    check("[fs#1]\nType = ext4\n", &["1:2 error: fs#1 has no type: expected type, not Type"]);
}

#[test]
fn resources_without_an_error_can_be_checked_further() {
    let text = "[app#1]\nstart = /bin/a\nnonsense = 1\n[app#2]\nstart = /bin/a\n[fs#1]\ntype = flag\n";
    let loaded = load(&path(), text, &node("n1"), &Drivers::new());
    let sound: Vec<String> = loaded.sound.unwrap().resources.iter().map(|resource| resource.rid.to_string()).collect();
    assert_eq!(sound, ["fs#1", "app#2"]);
    assert!(load(&path(), "[fs#1]\ntype = flag\n", &node("n1"), &Drivers::new()).sound.is_none());
}

#[test]
fn what_a_generated_file_repeats_is_read_in_linear_time() {
    // Each of these took minutes when its cost grew with the square.
    let many = |line: &dyn Fn(usize) -> String| (0..3000).map(line).collect::<String>();
    let count = |text: &str| problems(text).len();
    assert_eq!(count(&many(&|at| format!("[fs#{at}]\ntype = flag\nstart_requires = app#x{at}\n"))), 3000);
    assert_eq!(count(&format!("[env]\na =\n{}", many(&|_| "  {nope}\n".to_owned()))), 3000);
    let rids = many(&|at| format!("app#{at} "));
    assert_eq!(count(&format!("[fs#1]\ntype = flag\nstart_requires = {rids}\n")), 3000);
    let long = "a".repeat(20_000);
    assert_eq!(count(&format!("[app#{long}]\nstart = /bin/a\n[fs#1]\ntype = flag\nstart_requires = app#{long}b\n")), 1);
    let nodes = many(&|at| format!("n{at} "));
    let scopes = many(&|at| format!("app@z{at} = x\n"));
    assert_eq!(count(&format!("[DEFAULT]\nnodes = {nodes}\n{scopes}")), 3000);
    assert_eq!(all_problems(&format!("[DEFAULT]\nnodes = {nodes}\n[fs#1]\ntype = flag\n")), [""; 0]);
}

#[test]
fn a_message_quotes_the_beginning_of_a_long_value() {
    let text = format!("[env]\nbig = {}\na = $({{env.big}} + 1)\n", "x".repeat(1000));
    let shown = problems(&text).concat();
    assert!(shown.contains("is not a number") && shown.len() < 300, "{shown}");
}

#[test]
fn all_values_together_are_bounded() {
    let chain = |at: usize| {
        let link = |step: usize| format!("a{at}_{step} = {{env.a{at}_{}}}{{env.a{at}_{}}}\n", step - 1, step - 1);
        format!("a{at}_0 = x\n{}", (1..20).map(link).collect::<String>())
    };
    let text = format!("[env]\n{}", (0..200).map(chain).collect::<String>());
    let problems = problems(&text);
    assert_eq!(problems[0], "1:1 error: the values of ns1/svc/web become too long together: expected 64 MiB at most");
    assert_eq!(problems.len(), 1);
}
