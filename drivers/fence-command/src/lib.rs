//! `fence.command`: a command that ends a node, such as the agent of a power supply, or a script of the site.
//!
//! A fence is neither up nor down. The exit status 0 of `command`, and then of `confirm` if there is one, proves that the node has
//! ended. The commands run with all the rights of the agent, and read on their standard input what is asked of them, in the way of the
//! fence agents of Linux-HA: `action=off` or `action=status`, and `nodename=NODE`.

use hostler_family_fence::FenceKeywords;
use hostler_sdk::prelude::*;

/// A command that ends a node.
///
/// It must exit with 0 only when it is certain that the node has ended: the services of the node are started elsewhere upon that.
/// Where it cannot be certain, `confirm` is.
#[derive(Keywords)]
struct FenceCommand {
    /// The command that ends the node.
    #[keyword(
        alias = "cmd",
        example = "/usr/sbin/fence_ipmilan --ip 10.0.1.2 --username hostler --password-script /etc/ipmi --action off"
    )]
    command: Command,
    /// A command that exits with 0 as soon as the node has ended. It is run after `command`, each second, until it does.
    #[keyword(example = "/usr/local/bin/is-off n2")]
    confirm: Option<Command>,
    /// A command that tries whether the node could be ended, and leaves it alone: for `om node fence --test`.
    #[keyword(
        example = "/usr/sbin/fence_ipmilan --ip 10.0.1.2 --username hostler --password-script /etc/ipmi --action status"
    )]
    test: Option<Command>,
    #[keyword(flatten)]
    terms: FenceKeywords,
}

#[driver(fence)]
impl Driver for FenceCommand {
    const NAME: &str = "fence.command";
    const GRANTS: &[&str] = &[
        "exec(caps=all) = {command:command}",
        "exec(caps=all) = {command:confirm}",
        "exec(caps=all) = {command:test}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let commands =
            [("command", Some(&self.command)), ("confirm", self.confirm.as_ref()), ("test", self.test.as_ref())];
        let named = commands.into_iter().filter_map(|(keyword, command)| Some((keyword, command?)));
        let wrong = named.filter(|(_, command)| !command.program().starts_with('/'));
        let text = |program: &str| format!("{program:?} is not a program: expected an absolute path");
        let wrong = wrong.map(|(keyword, command)| Problem::new(keyword, text(command.program())));
        Ok(wrong.chain(self.terms.problem()).collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::not_applicable().label(self.command.program()))
    }
}

impl Fence for FenceCommand {
    fn fence(&self, _: &Context, node: &str) -> Result<FenceReport> {
        asked(&self.command, "off", node).check()?;
        let program = self.command.program();
        let Some(confirm) = &self.confirm else { return Ok(FenceReport::proof(format!("{program} succeeded"))) };
        let confirm = asked(confirm, "status", node);
        // No limit of its own: the host ends the call at the timeout of the section.
        clock::wait_until(Duration::MAX, Duration::from_secs(1), || Ok(confirm.run()?.succeeded()))?;
        Ok(FenceReport::proof(format!("{program} succeeded, and {} confirms it", confirm.program())))
    }

    fn test(&self, _: &Context, node: &str) -> Result<FenceReport> {
        let Some(test) = &self.test else { return Err(Error::Unsupported) };
        asked(test, "status", node).check()?;
        Ok(FenceReport::no_proof(format!("{} succeeded", test.program())))
    }
}

fn asked(command: &Command, action: &str, node: &str) -> Command {
    command.clone().stdin(format!("action={action}\nnodename={node}\n"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use hostler_sdk::fake::{Case, Host, given};
    use hostler_sdk::process::Output;

    use super::*;

    fn fence(confirm: bool) -> FenceCommand {
        FenceCommand {
            command: Command::new("/srv/off").arg("n2"),
            confirm: confirm.then(|| Command::new("/srv/is-off")),
            test: Some(Command::new("/srv/try")),
            terms: FenceKeywords::default(),
        }
    }

    fn on(fence: FenceCommand, host: &Host) -> Case<FenceCommand> {
        given(fence).on(host)
    }

    #[test]
    fn an_exit_status_of_0_and_no_other_is_a_proof() {
        on(fence(false), &Host::new().program("/srv/off", 0, ""))
            .fence("n2")
            .knows(&FenceReport::proof("/srv/off succeeded"));
        on(fence(false), &Host::new().program("/srv/off", 1, "no such plug"))
            .fence("n2")
            .fails_with("/srv/off exited with 1: no such plug");
        let late = Host::new().failing("process.run", CapabilityError::TimedOut);
        on(fence(false), &late).fence("n2").fails_with("time");
    }

    #[test]
    fn what_must_be_confirmed_is_waited_for() {
        let looks = Rc::new(Cell::new(0));
        let seen = Rc::clone(&looks);
        let host = Host::new().program("/srv/off", 0, "").program_with("/srv/is-off", move |_| {
            seen.set(seen.get() + 1);
            Output { status: i32::from(seen.get() < 3), stdout: Vec::new(), stderr: Vec::new(), truncated: false }
        });
        on(fence(true), &host)
            .fence("n2")
            .knows(&FenceReport::proof("/srv/off succeeded, and /srv/is-off confirms it"));
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn a_test_ends_nothing() {
        let host = Host::new().program("/srv/try", 0, "on").program("/srv/off", 0, "");
        on(fence(false), &host).test("n2").knows(&FenceReport::no_proof("/srv/try succeeded"));
        assert_eq!(host.calls(), ["process.run /srv/try"]);
        on(FenceCommand { test: None, ..fence(false) }, &host).test("n2").fails(&Error::Unsupported);
    }
}
