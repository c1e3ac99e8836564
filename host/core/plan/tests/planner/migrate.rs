//! Migrations: the resources that move, those that stay, and the reasons that keep an instance where it is.

use insta::assert_snapshot;
use plan::{Action, OnFailure, Plan, PlanError, render};

use crate::support::{asked, outline};

fn to_n2(lines: &str) -> Result<Plan, PlanError> {
    asked(lines, Action::Migrate, |request| request.destination = Some("n2".parse().unwrap()))
}

fn refused(lines: &str) -> String {
    to_n2(lines).unwrap_err().to_string()
}

#[test]
fn resources_migrate_in_the_order_of_a_start_and_shared_ones_are_stopped_afterwards() {
    let plan = to_n2(
        "disk#1 up shared\nfs#1 up shared\nfs#2 stdby-up\ncontainer#2 up migrates shared\ncontainer#1 up migrates\n\
         app#1 down\nsync#1 up\ncontainer#3 disable",
    );
    assert_snapshot!(render::text(&plan.unwrap()), @r"
    web on n1: migrate, 9 steps in 6 stages
      disk       disk#1        skip      shared, and so there too: it is stopped here once all has moved
      fs         fs#1          skip      shared, and so there too: it is stopped here once all has moved
                 fs#2          skip      standby, and so up on every node
      container  container#1   migrate   up, to n2
                 container#2   migrate   up, to n2
                 container#3   skip      disabled
      app        app#1         skip      not up, nothing to move
      fs         fs#1          stop      up, once all has moved
      disk       disk#1        stop      up, once all has moved
    digest eea2…f4; run exactly this with --if-plan eea2
    ");
}

#[test]
fn whatever_is_up_and_cannot_come_along_keeps_all_of_it_here() {
    assert_eq!(
        refused("ip#1 up\nfs#1 warn\napp#1 undef optional\ncontainer#1 up migrates\napp#2 down"),
        "nothing is moved: ip#1 is up, and ip.test does not migrate; fs#1 is warn, and fs.test does not migrate; \
         app#1 is undef, and app.test does not migrate (stop what does not migrate first, or say standby = true of what \
         is up on every node, shared = true of what both nodes have)"
    );
    assert!(refused("container#1 up migrates disabled_on=n2").contains("container#1 is up, and disabled on n2"));
}

#[test]
fn a_resource_that_is_down_is_asked_and_has_nothing_to_do() {
    let plan = to_n2("container#1 down migrates disabled_on=n2\nfs#1 down shared").unwrap();
    assert_eq!(outline(&plan), "[(fs#1)] [container#1]");
    assert!(plan.steps().any(|step| step.explanation() == "already down, nothing to do"));
}

#[test]
fn a_failed_optional_resource_aborts_a_migration_too() {
    let plan = to_n2("container#1 up migrates optional\nfs#1 up shared").unwrap();
    assert!(plan.steps().all(|step| !step.optional));
    assert!(plan.phases.iter().all(|phase| phase.on_failure == OnFailure::Undo), "fs#1 would be stopped all the same");
}

#[test]
fn the_destination_is_part_of_the_plan() {
    let to = |node: &str| {
        asked("container#1 up migrates", Action::Migrate, |request| request.destination = Some(node.parse().unwrap()))
    };
    assert_ne!(to("n2").unwrap().digest, to("n3").unwrap().digest);
}
