//! Command lines as a grant line writes them: a program, and templates of its arguments.

use std::sync::Arc;

use super::argument::{ArgTemplate, bind_args, check_args};
use super::pattern::{ArgPattern, CommandPattern};
use super::root;
use crate::bind::binder::{BindFailure, Binder};
use crate::capability::definition::{Capability, LinePattern, LineTemplate, patterns};
use crate::line::attributes::AttributeKind;
use crate::line::check::{LineWords, check_path};
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;
use crate::line::token::{LineFault, Token, TokenPiece};

pub(super) const EXEC: Capability = Capability {
    name: "exec",
    attributes: &[
        AttributeKind::ChangesNothing,
        AttributeKind::Caps,
        AttributeKind::User,
        AttributeKind::Group,
        AttributeKind::WorkingDirectory,
        AttributeKind::Environment,
    ],
    template: |words| Ok(Arc::new(CommandTemplate::parse(words)?)),
    verb: |read, _| if read { "run, also to look," } else { "run" },
    policy_word: any_program,
    also_decided_by: &[],
};

pub(super) const SPAWN: Capability = Capability {
    name: "spawn",
    attributes: &[
        AttributeKind::Caps,
        AttributeKind::User,
        AttributeKind::Group,
        AttributeKind::WorkingDirectory,
        AttributeKind::Environment,
    ],
    verb: |_, _| "start and supervise",
    also_decided_by: &["exec"],
    ..EXEC
};

pub(in crate::capability) static CAPABILITIES: [Capability; 2] = [EXEC, SPAWN];

/// For [`Capability::policy_word`]: any program, where a keyword chooses it, and any command, where a keyword is all of it.
fn any_program(at: usize, first: &TokenPiece) -> Option<&'static str> {
    match first {
        TokenPiece::Command(_) if at == 0 => Some("/** **"),
        TokenPiece::Keyword(_) if at == 0 => Some("/**"),
        _ => None,
    }
}

/// A command line with templates.
#[derive(Debug)]
enum CommandTemplate {
    /// `{command:NAME}`: the keyword's value is the whole command.
    Keyword(String),
    /// A program and its arguments.
    Line { program: Token, args: Vec<ArgTemplate> },
}

impl CommandTemplate {
    fn parse(words: &LineWords<'_>) -> Result<CommandTemplate, LineFault> {
        let [program, rest @ ..] = words.tokens else { return Err(LineFault::new(words.end, "expected a program")) };
        if let Some(TokenPiece::Command(name)) = program.only() {
            return match rest {
                [] => Ok(CommandTemplate::Keyword(name.clone())),
                [extra, ..] => Err(extra.fault("{command:NAME} is the whole command: nothing may follow it")),
            };
        }
        check_path(program)?;
        let mut args = Vec::new();
        // The bracket that is open, with the words in it so far.
        let mut open: Option<(&Token, Vec<Token>)> = None;
        for token in rest {
            match (&mut open, token) {
                (None, token) if token.is_word("[") => open = Some((token, Vec::new())),
                (None, token) if token.is_word("]") => return Err(token.fault("a ] without a [")),
                (None, token) => args.push(ArgTemplate::One(token.clone())),
                (Some(_), token) if token.is_word("[") => return Err(token.fault("a [ inside of [ ]")),
                (Some((_, run)), token) if token.is_word("]") => {
                    args.push(ArgTemplate::Optional(std::mem::take(run)));
                    open = None;
                }
                (Some((_, run)), token) => run.push(token.clone()),
            }
        }
        if let Some((bracket, _)) = open {
            return Err(bracket.fault("the [ is not closed"));
        }
        check_args(&args)?;
        Ok(CommandTemplate::Line { program: program.clone(), args })
    }

    /// An argument that begins with a star and goes on: without a `--` before it, it could be an option.
    fn unguarded_star(&self) -> Option<&Token> {
        // Behind a `--` nothing is an option any more.
        let words = self.tokens().into_iter().skip(1).take_while(|token| !token.is_word("--"));
        words.into_iter().find(|token| token.pieces.len() > 1 && token.pieces[0] == TokenPiece::Star)
    }

    fn is_program(&self, token: &Token) -> bool {
        matches!(self, CommandTemplate::Line { program, .. } if program == token)
    }
}

impl LineTemplate for CommandTemplate {
    fn tokens(&self) -> Vec<&Token> {
        match self {
            CommandTemplate::Keyword(_) => Vec::new(),
            CommandTemplate::Line { program, args } => {
                std::iter::once(program).chain(args.iter().flat_map(ArgTemplate::tokens)).collect()
            }
        }
    }

    /// A list of programs stands for several command lines.
    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        match self {
            CommandTemplate::Keyword(name) => Ok(patterns([bind_command(name, binder)?])),
            CommandTemplate::Line { program, args } => {
                let args = bind_args(args, binder)?;
                let command = |program| CommandPattern { program, args: args.clone() };
                Ok(patterns(binder.paths(program)?.into_iter().map(command)))
            }
        }
    }

    fn whole_command(&self) -> Option<&str> {
        match self {
            CommandTemplate::Keyword(name) => Some(name),
            CommandTemplate::Line { .. } => None,
        }
    }

    /// Arguments may be stars in requests too, the program may not.
    fn may_be_star(&self, token: &Token) -> bool {
        !self.is_program(token)
    }

    fn check_origin(&self, origin: LineOrigin) -> Result<(), LineFault> {
        match (origin, self, self.unguarded_star()) {
            (LineOrigin::Request, _, Some(token)) => {
                Err(token.fault("an argument that begins with a * could be an option: write -- before it"))
            }
            _ => Ok(()),
        }
    }

    fn root_equivalent(&self, _: bool) -> Option<&'static str> {
        let CommandTemplate::Line { program, args } = self else { return Some(root::ANY_PROGRAM) };
        let rest =
            |arg: &ArgTemplate| matches!(arg, ArgTemplate::One(arg) if arg.only() == Some(&TokenPiece::DoubleStar));
        // An interpreter with fixed arguments runs a fixed script.
        let any = args.iter().any(|arg| !matches!(arg, ArgTemplate::One(arg) if arg.literal().is_some()));
        match program.literal() {
            // A keyword or a star chooses the program.
            None => Some(root::ANY_PROGRAM),
            Some(_) if args.iter().any(rest) => Some(root::ANY_ARGUMENT),
            Some(program) if any && root::is_interpreter(program) => Some(root::INTERPRETER),
            Some(program) => {
                root::by_words(program, args.iter().flat_map(ArgTemplate::tokens).filter_map(Token::literal))
            }
        }
    }
}

/// Binds the very command that a keyword's value is. One that does not begin with a program's path grants nothing.
fn bind_command(name: &str, binder: &Binder<'_>) -> Result<CommandPattern, BindFailure> {
    let keyword = binder.values(name)?;
    let [program, args @ ..] = keyword.values else { return Err(BindFailure::Absent) };
    if !program.starts_with('/') {
        return Err(BindFailure::Absent);
    }
    let path = PathGlob::new(Glob::text(program).0, false).map_err(|reason| binder.illegal(name, program, reason))?;
    // Any word of a command may be a path that the program opens.
    for value in keyword.values {
        binder.note_unowned(&keyword, value);
    }
    Ok(CommandPattern { program: path, args: args.iter().map(|arg| ArgPattern::Exact(Glob::text(arg))).collect() })
}
