//! `om cluster token`.

use std::process::ExitCode;

use etcd::TokenLine;

use crate::backend::LocalCluster;
use crate::command::TokenCommand;
use crate::each::each;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, cluster: &LocalCluster, command: TokenCommand) -> Outcome {
    match command {
        TokenCommand::Ls(output) => {
            let tokens = cluster.tokens()?;
            let text = structured(output.format, &serde_json::to_value(&tokens).unwrap_or_default());
            print(&text.unwrap_or_else(|| rows(&tokens)));
            Ok(ExitCode::SUCCESS)
        }
        TokenCommand::Create { ttl, uses } => {
            let (token, ends_at) = cluster.create_token(ttl, uses)?;
            print(&format!("{token}\n"));
            session.note(&format!("good until {}, for {uses} nodes", moment::date(ends_at as f64)));
            Ok(ExitCode::SUCCESS)
        }
        TokenCommand::Revoke { ids } => {
            let code = each(ids, |id| {
                cluster.revoke_token(&id)?;
                session.note(&format!("{id}: revoked"));
                Ok(())
            });
            Ok(code.into())
        }
    }
}

fn rows(tokens: &[TokenLine]) -> String {
    let row = |token: &TokenLine| {
        let until = moment::date(token.ends_at as f64);
        let left = if token.expired { "expired".to_owned() } else { token.uses_left.to_string() };
        vec![token.id.clone(), until, left, token.used_by.join(" ")]
    };
    table(&["ID", "UNTIL", "USES LEFT", "USED BY"], &tokens.iter().map(row).collect::<Vec<_>>())
}
