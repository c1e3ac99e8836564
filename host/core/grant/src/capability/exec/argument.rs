//! Arguments of a command line with templates, and how they are bound to the values of keywords.

use super::pattern::ArgPattern;
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::check::check_components;
use crate::line::token::{LineFault, TemplateName, Token, TokenPiece};

/// An argument, or arguments that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArgTemplate {
    /// A literal, a template, `*` or `**`.
    One(Token),
    /// `[ … ]`. A list alone in the brackets stands for any of its values, in their order.
    Optional(Vec<Token>),
}

impl ArgTemplate {
    pub(super) fn tokens(&self) -> &[Token] {
        match self {
            ArgTemplate::One(token) => std::slice::from_ref(token),
            ArgTemplate::Optional(run) => run,
        }
    }
}

pub(super) fn check_args(args: &[ArgTemplate]) -> Result<(), LineFault> {
    for (i, arg) in args.iter().enumerate() {
        match arg {
            // Arguments behind it could never be distinguished from those that it stands for.
            ArgTemplate::One(token) if token.only() == Some(&TokenPiece::DoubleStar) => {
                if i + 1 < args.len() {
                    return Err(token.fault("** stands for all the rest: nothing may follow it"));
                }
            }
            ArgTemplate::One(token) => check_arg(token)?,
            ArgTemplate::Optional(run) => run.iter().try_for_each(check_arg)?,
        }
    }
    Ok(())
}

/// Accepts a keyword that is a whole argument, a whole component of a path, or a path with a host or a scheme before it or a
/// place below it.
fn check_arg(token: &Token) -> Result<(), LineFault> {
    if token.pieces.contains(&TokenPiece::DoubleStar) {
        return Err(token.fault("** is an argument of its own, and the last one"));
    }
    if token.pieces.iter().any(|piece| matches!(piece, TokenPiece::Command(_))) {
        return Err(token.fault("{command:NAME} is the whole command"));
    }
    let whole = token.pieces.len() <= 1 || is_path_with_text(token);
    match token.keywords().next() {
        Some(_) if whole => Ok(()),
        Some(_) if matches!(token.pieces.first(), Some(TokenPiece::Literal(text)) if text.starts_with('/')) => {
            check_components(token, &token.pieces)
        }
        Some(_) => Err(token.fault(
            "{kw:NAME} is a whole argument, except in /…/{kw:NAME}, {kw:NAME}/…, unix://{kw:NAME} and HOST:{kw:NAME}, such as {peer}:{kw:NAME}",
        )),
        None => Ok(()),
    }
}

/// Whether it is `{kw:NAME}/…`, `HOST:{kw:NAME}`, `SCHEME://{kw:NAME}` or both: a path, with something below it, on another host.
fn is_path_with_text(token: &Token) -> bool {
    let Some(at) = token.pieces.iter().position(|piece| matches!(piece, TokenPiece::Keyword(_))) else { return false };
    let (host, path) = token.pieces.split_at(at);
    let names_host = |piece: &TokenPiece| {
        matches!(piece, TokenPiece::Literal(_) | TokenPiece::Star | TokenPiece::Name(TemplateName::Peer))
    };
    // Nothing before the keyword may reach into the path: it ends in `:` or `://`, or is not there.
    let is_host = match host.last() {
        None => true,
        Some(TokenPiece::Literal(text)) if host.len() == 1 && text.ends_with("://") => true,
        Some(TokenPiece::Literal(text)) => text.ends_with(':') && host.iter().all(names_host),
        Some(_) => false,
    };
    is_host
        && match path {
            [_] => true,
            [_, TokenPiece::Literal(below), rest @ ..] => {
                let fixed = |piece: &TokenPiece| matches!(piece, TokenPiece::Literal(_) | TokenPiece::Name(_));
                below.starts_with('/') && rest.iter().all(fixed)
            }
            _ => false,
        }
}

pub(super) fn bind_args(args: &[ArgTemplate], binder: &Binder<'_>) -> Result<Vec<ArgPattern>, BindFailure> {
    let mut bound = Vec::new();
    // Whether a literal `--` has certainly gone before, so that the program cannot read what follows as an option.
    let mut guarded = false;
    for arg in args {
        match arg {
            ArgTemplate::One(token) => bound.extend(bind_arg(token, &mut guarded, binder)?),
            ArgTemplate::Optional(run) => {
                // A `--` in brackets may be left out, so it guards only what stands in the same brackets.
                let mut guarded_inside = guarded;
                let is_list = matches!(&run[..], [token] if matches!(token.only(), Some(TokenPiece::Keyword(_))));
                let run: Result<Vec<Vec<ArgPattern>>, BindFailure> =
                    run.iter().map(|token| bind_arg(token, &mut guarded_inside, binder)).collect();
                match run {
                    Ok(values) if is_list => {
                        bound.extend(values.concat().into_iter().map(|value| ArgPattern::Optional(vec![value])));
                    }
                    Ok(run) => bound.push(ArgPattern::Optional(run.concat())),
                    // The brackets stand for nothing if a keyword in them is absent; elsewhere the whole line would.
                    Err(BindFailure::Absent) => {}
                    Err(illegal) => return Err(illegal),
                }
            }
        }
    }
    Ok(bound)
}

fn bind_arg(token: &Token, guarded: &mut bool, binder: &Binder<'_>) -> Result<Vec<ArgPattern>, BindFailure> {
    match token.only() {
        Some(TokenPiece::Star) => return Ok(vec![ArgPattern::Any]),
        Some(TokenPiece::DoubleStar) => return Ok(vec![ArgPattern::Rest]),
        Some(TokenPiece::Keyword(name)) if !*guarded => {
            let values = binder.values(name)?.values;
            // Otherwise a value such as `-oProxyCommand=…` would make ssh run a command.
            if let Some(option) = values.iter().find(|value| value.starts_with('-')) {
                return Err(binder.illegal(
                    name,
                    option,
                    "an argument from a keyword may not begin with - unless -- precedes it",
                ));
            }
        }
        // The program takes what follows as an operand, even if it begins with a dash.
        Some(TokenPiece::Literal(text)) if text == "--" => *guarded = true,
        None if is_path_with_text(token) => {
            return Ok(binder.path_arguments(token)?.into_iter().map(ArgPattern::Exact).collect());
        }
        _ => {}
    }
    Ok(binder.words(token, WordUse::Argument)?.into_iter().map(ArgPattern::Exact).collect())
}
