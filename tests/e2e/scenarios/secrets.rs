//! Stores: secrets and configuration go from `om sec/db add` into the environment of programs, and nowhere else.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use hostler_tests::dockerd::IMAGE;

use crate::containers;
use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    keys_come_and_go,
    bytes_come_out_as_they_went_in,
    a_store_is_not_acted_on,
    an_application_gets_its_variables_and_no_other_process_does,
    a_missing_key_fails_only_its_own_resource,
    a_task_gets_them_too,
    a_store_is_its_namespaces_own,
    with_another_key_file_nothing_is_lost,
    what_a_configuration_says_shows_nowhere,
    a_container_gets_them_by_the_engines_interface,
);

/// An application that writes its environment into a file.
const APP: &str = "[app#1]\ntype = simple\nstart = /bin/sh -c 'env >{w}/env; exec sleep 600'\nsettle = 0s\n";

fn add(world: &World, store: &str, key: &str, value: &str) {
    let file = world.write("value", value);
    world.om(&format!("{store} add --key {key} --from {}", file.display())).ok();
}

/// With a file on its standard input.
fn om_reading(world: &World, line: &str, file: &str) -> Ran {
    let input = File::open(world.path(file)).unwrap();
    let output = world.command().args(line.split_whitespace()).stdin(input).output().unwrap();
    Ran::new(&format!("om {line} <{file}"), output)
}

/// Whether a text is in the arguments of any process.
fn is_in_a_process_list(text: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(text))
}

/// The content of all files that the agent wrote. None may contain a secret.
fn everything_below(directory: &std::path::Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => all += &everything_below(&entry.path()),
            false => all += &String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()),
        }
    }
    all
}

fn keys_come_and_go(world: &World) {
    world
        .om("sec/db add --key password --value s3cret")
        .ends(2)
        .says("sec/db does not exist: om sec/db create makes it");
    world.om("sec/db create").ok();
    world.om("sec/db ls").ok().says("sec/db");
    world.om("sec/db keys").ok().does_not_say("password");
    world.om("sec/db add --key password --value s3cret").ok();
    world.om("sec/db add --key password --value other").ends(1).says("om sec/db change --key password");
    world.om("sec/db decode --key password").ok().prints("s3cret");
    world.om("sec/db change --key password --value hunter2").ok();
    world.om("sec/db change --key user --value bob").ends(1).says("om sec/db add --key user");
    world.om("sec/db add --key user --value bob").ok();
    world.om("sec/db keys").ok().prints("password\nuser\n");
    world.om("sec/db keys --format json").ok().says("\"path\": \"sec/db\"").says("\"user\"");
    world.om("sec/db print config").ok().says("password = crypt:").does_not_say("***").does_not_say("hunter2");
    world.om("sec/db get --kw data.password").ok().says("crypt:");
    world.om("sec/db config validate").ok();
    let mode = |name: &str| fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("root/etc/sec/db.conf"), mode("root/etc/secrets.key")), (0o600, 0o600));

    world.om("sec/db rename --key password --to root_password").ok();
    world.om("sec/db decode --key root_password").ok().prints("hunter2");
    world.om("sec/db remove --key nobody").ends(1).says("sec/db has no key nobody");
    world.om("sec/db remove --key user --key root_password").ok();
    world.om("sec/db keys").ok().prints("");
    world.om("sec/db set --kw data.pin=1234").ends(1).says("the value of pin is not encrypted").says("om sec/db add");
    world.om("sec/db delete").ok();
    world.om("** ls").ok().does_not_say("sec/db");

    world.om("cfg/web create").ok();
    world.om("cfg/web add --key mode --value fast").ok();
    world.om("cfg/web print config").ok().says("mode = literal:fast");
    world.om("cfg/web set --kw data.colour=red").ok();
    world.om("cfg/web decode --key colour").ok().prints("red");
    world.om("cfg/web delete").ok();
}

fn bytes_come_out_as_they_went_in(world: &World) {
    world.om("sec/db create").ok();
    let bytes = b"-----BEGIN\n\n# \x1b[31mred\x1b[0m \x00\xff\n  \n[x]\n".to_vec();
    fs::write(world.path("cert"), &bytes).unwrap();
    om_reading(world, "sec/db add --key a --from -", "cert").ok();
    world.om(&format!("sec/db add --key b --from {}", world.path("cert").display())).ok();
    for key in ["a", "b"] {
        let output = world.command().args(["sec/db", "decode", "--key", key]).output().unwrap();
        assert_eq!(output.stdout, bytes, "{key}");
    }
    world.om("sec/db add --key c --from nowhere").ends(1).says("cannot read nowhere");
    world.om("sec/db add --key c").ends(1).says("--value <VALUE>|--from <FILE|->");
}

fn a_store_is_not_acted_on(world: &World) {
    world.om("sec/db create").ok();
    for action in ["start", "stop", "provision", "run", "freeze", "instance start"] {
        world.om(&format!("sec/db {action}")).ends(4).says("sec/db is a store, which holds keys and has no instance");
    }
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("** start").ok().does_not_say("sec/db");
    world.om("** stop").ok();
    world.om("web add --key a --value b").ends(4).says("web holds no keys");
    world.om("web keys").ends(4);
}

fn an_application_gets_its_variables_and_no_other_process_does(world: &World) {
    world.om("sec/db create").ok();
    world.om("cfg/web create").ok();
    add(world, "sec/db", "pin", "hunter7");
    add(world, "sec/db", "cert", "first line of it\nsecond line of it");
    add(world, "cfg/web", "mode", "fast");
    let env = "environment = MODE=slow PLAIN=1\nsecrets_environment = DB_PIN=db/pin db/*\n\
               configs_environment = MODE=web/mode\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{APP}{env}"));
    world.om("web config validate").ok().says("valid");
    world.om("web --debug start").ok().does_not_say("hunter").does_not_say("line of it");
    until("the application has written its environment", || world.read("env").contains("PLAIN=1"));
    let seen = world.read("env");
    for line in ["DB_PIN=hunter7", "PIN=hunter7", "CERT=first line of it\nsecond line of it", "MODE=fast", "PLAIN=1"] {
        assert!(seen.contains(&format!("{line}\n")), "{line} in {seen}");
    }
    assert!(!is_in_a_process_list("hunter7"));
    world.om("web print status --refresh").ok().does_not_say("hunter7");
    world.om("web print config").ok().says("DB_PIN=db/pin").does_not_say("hunter7");
    world.om("web eval --kw app#1.secrets_environment").ok().does_not_say("hunter7");
    world.om("web start --dry-run --force --format json").ok().does_not_say("hunter7");
    world.om("driver inspect app.simple --effective web app#1").ok().does_not_say("hunter7");
    world.om("driver audit --object web").ok().says("spawn").does_not_say("hunter7");

    let file = world.write("value", "hunter8");
    world.om(&format!("sec/db change --key pin --from {}", file.display())).ok();
    assert!(world.read("env").contains("DB_PIN=hunter7"), "what runs keeps what it was started with");
    world.om("web restart").ok().does_not_say("hunter");
    until("the application has the other secret", || world.read("env").contains("DB_PIN=hunter8"));
    // A missing secret does not prevent a stop, but it prevents the next start.
    world.om("sec/db remove --key pin").ok();
    world.om("web print status --refresh").ok().says("app#1").says("secrets_environment needs the key pin of sec/db");
    world.is("web", "up");
    world.om("web stop").ok();
    world.om("web start").ends(1).says("om sec/db add --key pin adds it");
    assert!(!everything_below(&world.path("root")).contains("hunter"), "a secret in a file of the agent");
}

fn a_missing_key_fails_only_its_own_resource(world: &World) {
    let config = format!(
        "[DEFAULT]\nnodes = n1\nrollback = false\n[fs#1]\ntype = flag\n{APP}secrets_environment = DB_PIN=db/pin\n"
    );
    let file = world.write("web.conf", &world.fill(&config));
    let made = world.om(&format!("web create --config {}", file.display())).ok();
    made.says("web: 1 warning");
    let needs = "secrets_environment needs the key pin of sec/db, and that store does not exist";
    world
        .om("web config validate")
        .ok()
        .says("web.conf:10:23")
        .says(&format!("app#1.{needs}"))
        .says("om sec/db create");
    world.om("web provision").ends(1).says("refused before anything was touched").says(&format!("app#1: {needs}"));
    world.om("web start").ends(1).says(&format!("app#1: {needs}")).says("om sec/db add --key pin");
    assert_eq!(world.states("web"), "app#1 down, fs#1 up");
    world.om("sec/db create").ok();
    world
        .om("web start")
        .ends(1)
        .says("needs the key pin of sec/db, which does not exist: om sec/db add --key pin adds it");
    add(world, "sec/db", "pin", "hunter7");
    world.om("web config validate").ok().does_not_say("warning");
    world.om("web start").ok();
    world.om("web stop").ok();

    add(world, "sec/db", "server.crt", "x");
    world.om("web set --kw app#1.secrets_environment=db/*").ok();
    world.om("web start").ends(1).says("cannot of server.crt").says("NAME=db/KEY");
    world.om("web set --kw app#1.secrets_environment=A=db").ends(1).says("expected [NAME=]STORE/KEY or STORE/PATTERN");
}

fn a_task_gets_them_too(world: &World) {
    world.om("sec/db create").ok();
    add(world, "sec/db", "pin", "hunter7");
    let task = "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /bin/sh -c 'echo $PIN; echo $PIN >>{w}/said'\n\
                secrets_environment = db/*\n";
    world.create("web", task);
    world.om("web run").ok().says("***").does_not_say("hunter");
    assert_eq!(world.read("said"), "hunter7\n");
    world.om("sec/db remove --key pin").ok();
    world.om("web set --kw task#1.secrets_environment=PIN=db/pin").ok();
    world.om("web run").ends(1).says("om sec/db add --key pin adds it");
    assert_eq!(world.read("said"), "hunter7\n");
}

fn a_store_is_its_namespaces_own(world: &World) {
    for store in ["sec/db", "ns1/sec/db", "ns2/sec/db"] {
        world.om(&format!("{store} create")).ok();
    }
    add(world, "ns1/sec/db", "pin", "hunter7");
    world.create("ns1/svc/web", &format!("[DEFAULT]\nnodes = n1\n{APP}secrets_environment = PIN=db/pin\n"));
    world.om("ns1/svc/web config validate").ok().does_not_say("warning");
    for other in ["PIN=ns2/sec/db/pin", "PIN=root/sec/db/pin"] {
        let set = world.om(&format!("ns1/svc/web set --kw app#1.secrets_environment={other}")).ends(1);
        set.says("is of another namespace: an object of ns1 uses stores of ns1");
    }
    world.om("ns1/svc/web set --kw app#1.secrets_environment=PIN=ns1/sec/db/pin").ok();
}

fn with_another_key_file_nothing_is_lost(world: &World) {
    world.om("sec/db create").ok();
    add(world, "sec/db", "pin", "hunter7");
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{APP}secrets_environment = PIN=db/pin\n"));
    let (key, store) = (world.path("root/etc/secrets.key"), world.read("root/etc/sec/db.conf"));
    fs::rename(&key, world.path("right.key")).unwrap();
    world.om("sec/db add --key new --value x").ends(1).says("secrets.key is missing, with which sec/db is encrypted");
    world.om("web start").ends(1).says("secrets.key is missing").says("put it back");
    fs::write(&key, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n").unwrap();
    world
        .om("sec/db decode --key pin")
        .ends(1)
        .says("was encrypted with another key than the one in")
        .says("put that file back");
    world.om("sec/db add --key new --value x").ends(1).says("nothing was changed");
    world.om("web config validate").ok().says("app#1.secrets_environment cannot be resolved");
    world.om("web start").ends(1).says("another key");
    assert_eq!(world.read("root/etc/sec/db.conf"), store);
    fs::rename(world.path("right.key"), &key).unwrap();
    world.om("sec/db decode --key pin").ok().prints("hunter7");
    world.om("web start").ok();
    world.om("web stop").ok();
}

/// Values of the configuration that have the names of secrets, and variables that do.
fn what_a_configuration_says_shows_nowhere(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[env]\ndb_password = hunter21\ncheck = {w}/act check 1\n\
                  [app#1]\ntype = forking\nstart = /bin/echo --password {env.db_password}\nstop = /bin/true --token hunter27\ncheck = /bin/true\n\
                  environment = API_TOKEN=hunter22 MODE=slow\n";
    world.create("web", config);
    for line in [
        "web print config",
        "web print config --format json",
        "web print config --eval",
        "web config show",
        "web get --kw env.db_password",
        "web get --kw app#1.environment",
        "web get --kw app#1.start --eval --format json",
        "web eval --kw app#1.start",
        "web eval --kw env.db_password",
        "web start",
        "web print status --refresh",
        "web explain",
        "web logs",
        "web config history --format json",
        "web start --dry-run --format json",
        "driver audit --object web -n 0",
        "driver inspect app.forking --effective web app#1",
    ] {
        world.om(line).does_not_say("hunter2");
    }
    world.om("web print config").ok().says("db_password = ***").says("API_TOKEN=*** MODE=slow").says("--token ***");
    world.om("web eval --kw app#1.start").ok().says("--password ***");
    // Whoever asks for them gets them: a copy needs them.
    world.om("web print config --secrets").ok().says("db_password = hunter21").says("API_TOKEN=hunter22");
    world.om("web get --kw env.db_password --secrets").ok().prints("hunter21\n");
    world.om("web print config --secrets --format json").ok().says("hunter21");
    // An error shows its line without them.
    world.om("web set --kw env.db_password=hunter23 --kw app#1.environment=B_TOKEN=hunter24").ok();
    let broken =
        world.write("bad.conf", &world.fill(&format!("{config}[fs#1]\ntype = flag\nsize = {{env.x}} KEY=hunter25\n")));
    world.om(&format!("bad create --config {}", broken.display())).ends(1).says("size").does_not_say("hunter2");
    world.om("web set --kw env.admin_token={env.none}hunter26").ends(1).says("admin_token").does_not_say("hunter2");
    let logs = everything_below(&world.path("root/log"));
    assert!(!logs.contains("hunter2"), "{logs}");
}

fn a_container_gets_them_by_the_engines_interface(world: &World) {
    let Some(engine) = containers::node_engine(world) else { return };
    world.om("sec/db create").ok();
    add(world, "sec/db", "pin", "hunter7");
    let more = "environment = PIN=0 A=1\nsecrets_environment = db/*";
    containers::create(world, &containers::sleeping("1", more));
    world.om("web --debug provision").ok().says(&format!("is running from {IMAGE}")).does_not_say("hunter");
    let pin = || engine.docker("exec web.container.1 sh -c echo${IFS}$PIN${IFS}$A").unwrap();
    assert_eq!(pin().trim(), "hunter7 1");
    assert!(!is_in_a_process_list("hunter7"));
    world.om("driver audit --object web").ok().says("containers/create").does_not_say("hunter");
    // With the digest of its image, as a name may mean another one tomorrow.
    world.om("driver audit --object web --format json").ok().says("\"image\": \"sha256:");
    world.om("web print status --refresh").ok().does_not_say("has changed");

    let file = world.write("value", "hunter8");
    world.om(&format!("sec/db change --key pin --from {}", file.display())).ok();
    world.om("web print status --refresh").ok().says("the configuration has changed").does_not_say("hunter");
    world.om("web restart").ok().does_not_say("hunter");
    assert_eq!(pin().trim(), "hunter8 1");
    assert!(!everything_below(&world.path("root")).contains("hunter"), "a secret in a file of the agent");
    world.om("web unprovision --confirm").ok();
}
