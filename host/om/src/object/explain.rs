//! `explain`: why an object is as it is, what comes next, and what it waits for.

use protocol::daemon::ObjectExplanation;

use crate::command::OutputArgs;
use crate::each::each;
use crate::exit::Outcome;
use crate::render::explain::text;
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::print;
use crate::words::Target;

pub(crate) fn run(session: &Session, target: &Target, output: &OutputArgs) -> Outcome {
    let paths = session.select_instances(target, "explain")?;
    let daemon = session.daemon();
    let mut values = Vec::new();
    let code = each(&paths, |path| {
        let explanation: ObjectExplanation = daemon.ask(async |client| client.explain(path).await)?;
        match output.is_structured() {
            true => values.push(serde_json::to_value(&explanation).unwrap_or_default()),
            false => print(&text(&explanation)),
        }
        Ok(())
    });
    structured(output.format, &one_or_all(paths.len(), values)).iter().for_each(|text| print(text));
    Ok(code.into())
}
