//! `daemon auth`, `daemon whoami`: tokens, and who asks.

use std::process::ExitCode;

use protocol::daemon::{CallerDocument, TokenRequest, TokenSummary};

use crate::command::{AuthArgs, AuthCommand, OutputFormat};
use crate::each::each;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, args: &AuthArgs) -> Outcome {
    match &args.command {
        Some(AuthCommand::Ls(output)) => list(session, output.format),
        Some(AuthCommand::Revoke { ids }) => revoke(session, ids),
        None => make(session, args),
    }
}

/// Prints the token alone, so that it can go into a file or a variable.
fn make(session: &Session, args: &AuthArgs) -> Outcome {
    let duration = args.duration.map(|duration| duration.as_secs());
    let wanted = TokenRequest { user: args.user.clone(), role: args.role.clone(), duration };
    let token = session.daemon().ask(async |client| client.make_token(&wanted).await)?;
    print(&format!("{}\n", token.token));
    let until = moment::date(token.ends_at as f64);
    session.note(&format!("token {} of user {}, good until {until}", token.id, token.user));
    Ok(ExitCode::SUCCESS)
}

fn list(session: &Session, format: OutputFormat) -> Outcome {
    let tokens = session.daemon().ask(async |client| client.tokens().await)?;
    let text = structured(format, &serde_json::to_value(&tokens).unwrap_or_default());
    print(&text.unwrap_or_else(|| rows(&tokens)));
    Ok(ExitCode::SUCCESS)
}

fn rows(tokens: &[TokenSummary]) -> String {
    let row = |token: &TokenSummary| {
        let role = if token.role.is_empty() { "-".to_owned() } else { token.role.join(" ") };
        let state = if token.revoked { "revoked" } else { "valid" };
        vec![
            token.id.clone(),
            token.user.clone(),
            role,
            moment::date(token.ends_at as f64),
            state.to_owned(),
            token.by.clone(),
        ]
    };
    table(&["ID", "USER", "ROLE", "UNTIL", "STATE", "BY"], &tokens.iter().map(row).collect::<Vec<_>>())
}

fn revoke(session: &Session, ids: &[String]) -> Outcome {
    let daemon = session.daemon();
    let code = each(ids, |id| {
        daemon.ask(async |client| client.revoke_token(id).await)?;
        session.note(&format!("{id}: revoked"));
        Ok(())
    });
    Ok(code.into())
}

pub(super) fn whoami(session: &Session, format: OutputFormat) -> Outcome {
    let caller = session.daemon().ask(async |client| client.whoami().await)?;
    let text = structured(format, &serde_json::to_value(&caller).unwrap_or_default());
    print(&text.unwrap_or_else(|| described(&caller)));
    Ok(ExitCode::SUCCESS)
}

fn described(caller: &CallerDocument) -> String {
    let CallerDocument { node, user, auth, .. } = caller;
    let credential = caller.credential.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let until = caller.ends_at.map(|at| format!(", good until {}", moment::date(at as f64))).unwrap_or_default();
    let from = caller.address.as_ref().map(|address| format!(", from {address}")).unwrap_or_default();
    let words = |grants: &[String]| if grants.is_empty() { "nothing".to_owned() } else { grants.join(" ") };
    let limit = caller.limit.as_ref().map(|limit| format!("limit  {}\n", words(limit))).unwrap_or_default();
    format!("user   {user} on {node}\nauth   {auth}{credential}{until}{from}\ngrant  {}\n{limit}", words(&caller.grant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_told_in_three_or_four_lines() {
        let caller = CallerDocument {
            node: "n1".to_owned(),
            user: "alice".to_owned(),
            auth: "token".to_owned(),
            credential: Some("t1".to_owned()),
            ends_at: None,
            address: Some("10.0.0.9".to_owned()),
            grant: vec!["operator:ns1".to_owned()],
            limit: Some(vec!["guest".to_owned()]),
        };
        let expected = "user   alice on n1\nauth   token t1, from 10.0.0.9\ngrant  operator:ns1\nlimit  guest\n";
        assert_eq!(described(&caller), expected);
    }
}
