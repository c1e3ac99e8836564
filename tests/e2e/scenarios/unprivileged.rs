//! An ordinary user tries Hostler out, in their own directory.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::ran::Ran;
use crate::world::{OM, World};

crate::trials!(an_ordinary_user_has_a_trial_that_touches_nothing_else);

const NOBODY: u32 = 65534;

fn om(world: &World, program: &Path, line: &str) -> Ran {
    let mut command = world.command_of(program);
    command.env_remove("HOSTLER_ROOT").env("HOSTLER_CACHE", world.path("root/cache"));
    command.args(["--root", &world.path("root").display().to_string()]).args(line.split_whitespace());
    let output = command.uid(NOBODY).gid(NOBODY).output().unwrap();
    Ran::new(&format!("om {line}"), output)
}

fn an_ordinary_user_has_a_trial_that_touches_nothing_else(world: &World) {
    let systems = ["/etc/hostler", "/var/lib/hostler", "/var/log/hostler", "/run/hostler"];
    let (_directory, program) = hostler_tests::for_every_user(Path::new(OM)).unwrap();
    let om = |line: &str| om(world, &program, line);
    let before = systems.map(|path| Path::new(path).exists());
    std::fs::set_permissions(world.directory(), std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(world.directory(), Some(NOBODY), Some(NOBODY)).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = directory\npath = {w}/data\n[fs#2]\ntype = flag\n\
                  [app#1]\ntype = simple\nstart = {w}/act slow 1\n\
                  [ip#1]\nname = 10.88.250.1\ndev = lo\noptional = true\n";
    let file = world.write("web.conf", &world.fill(config));
    om(&format!("web create --config {}", file.display())).ok();
    om("web start").ok().says("ip#1").says("optional: ignored");
    om("web print status").ok().says("|- avail              up");
    assert!(world.path("data").is_dir());
    assert_eq!(world.marks(), "~1");
    om("web start").ok();
    om("web stop").ok();
    om("web delete --force").ok();
    assert_eq!(systems.map(|path| Path::new(path).exists()), before);
}
