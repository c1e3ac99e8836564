//! Triggers: commands of the configuration that run around an action, with the agent's own powers. They are judged and recorded like
//! the programs of drivers: by the place of the program, and by what its arguments lead to.

use grant::op::RunProgram;
use kernel::process::CheckedProgram;

use super::ProcessCommand;
use super::command::{details, judged};
use super::environment::check_for_trigger;
use crate::argument::absolute;
use crate::{CallContext, CapabilityError, Effect};

/// Runs a trigger, which `name` calls in the audit, if the grants allow its command. `run` runs the program that was judged, and heeds
/// the deadline.
pub async fn run_trigger<T, F, Fut>(
    context: &CallContext,
    name: &str,
    command: ProcessCommand,
    run: F,
) -> Result<T, CapabilityError>
where
    F: FnOnce(CheckedProgram) -> Fut + Send,
    Fut: Future<Output = Result<T, CapabilityError>> + Send,
{
    let op = RunProgram { program: absolute(&command.program)?, args: command.args.clone(), ..RunProgram::default() };
    // Beside a call of the driver that is stuck: a trigger waits for nothing that the driver does.
    let admitted = context.admit_beside(op)?.noting("trigger", name.to_owned()).noting_all(details(&command));
    let ran = admitted.until_its_end(|permit| async move {
        let at_place = |op: &RunProgram, program| RunProgram { program, ..op.clone() };
        check_for_trigger(context, &permit, &command.env)?;
        let program = judged(context, &permit, at_place, &command, None)?;
        run(program).await.map(Effect::Touched)
    });
    ran.await
}
