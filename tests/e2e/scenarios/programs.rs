//! The programs that a configuration names: their search path, their environment, what is shown of it, and which namespaces
//! may name one.

use crate::world::World;

crate::trials!(
    a_program_is_looked_for_where_a_shell_would,
    variables_reach_tasks_and_triggers_and_secrets_reach_no_log,
    a_trigger_in_a_namespace_needs_its_policy,
);

fn a_program_is_looked_for_where_a_shell_would(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = sleep 600\n");
    world.om("web set --kw app#1.start=nosuchprogram").ends(1).says("app#1.start").says("nosuchprogram");
    world.om("web start").ok().says("/sleep 600").says("process group hostler.slice/");
    world.om("web stop").ok();
}

fn variables_reach_tasks_and_triggers_and_secrets_reach_no_log(world: &World) {
    world.write("say", "#!/bin/sh\necho \"$1 $COLOUR $DB_PASSWORD\" >>{w}/said; echo \"$DB_PASSWORD\"\n");
    let say = world.write("say", &world.fill(&world.read("say")));
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /bin/sh {say} task\n\
         [fs#1]\ntype = flag\npre_start = /bin/sh {say} trigger DB_PASSWORD=hunter7\n",
        say = say.display()
    );
    world.create("web", &config);
    for line in ["web run -e COLOUR=red -e DB_PASSWORD=hunter8", "web start -e COLOUR=red -e DB_PASSWORD=hunter8"] {
        world.om(line).ok().says("***").does_not_say("hunter");
    }
    assert_eq!(world.read("said"), "task red hunter8\ntrigger red hunter8\n");
    assert!(!world.read("root/log/web.log").contains("hunter"));
    world.om("web stop").ok();
}

fn a_trigger_in_a_namespace_needs_its_policy(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nblocking_pre_start = {w}/act mark ran\n";
    world.create("ns1/svc/web", config);
    world.om("ns1/svc/web start").ends(1).says("denied").says("etc/namespaces/ns1/policy");
    assert_eq!(world.marks(), "");
    world.write(
        "root/etc/namespaces/ns1/policy",
        &world.fill("allow files.write = {rundir}/**\nallow exec(caps=all) = {w}/act mark ran\n"),
    );
    world.om("ns1/svc/web start").ok();
    assert_eq!(world.marks(), "ran");
    world.om("ns1/svc/web stop").ok();
}
