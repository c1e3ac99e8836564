//! Command lines: a program, and what its arguments may be.

use std::fmt;
use std::path::Path;

use crate::bind::{As, Binder, Unbound};
use crate::glob::{Glob, PathGlob};
use crate::template::check_whole;
use crate::token::{Fault, Name, Piece, Token};

/// What the arguments of a template are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArgTemplate {
    /// A literal, a template, `*` or `**`.
    One(Token),
    /// `[ … ]`. A list alone in them stands for any of its values, in their order.
    Optional(Vec<Token>),
}

/// A command line with templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandTemplate {
    /// The whole command that a keyword holds.
    Keyword(String),
    /// A program and its arguments.
    Line { program: Token, args: Vec<ArgTemplate> },
}

/// What an argument may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arg {
    /// One that this stands for.
    Exact(Glob),
    /// One, whatever it is, but no option unless a `--` went before.
    Any,
    /// All that are left.
    Rest,
    /// These, or none of them.
    Optional(Vec<Arg>),
}

/// A bound command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) program: PathGlob,
    pub(crate) args: Vec<Arg>,
}

impl CommandTemplate {
    /// Reads the words after the `=`.
    pub(crate) fn parse(tokens: &[Token], end: usize) -> Result<CommandTemplate, Fault> {
        let [program, rest @ ..] = tokens else { return Err(Fault::new(end, "expected a program")) };
        if let Some(Piece::Command(name)) = program.only() {
            return match rest {
                [] => Ok(CommandTemplate::Keyword(name.clone())),
                [extra, ..] => Err(extra.fault("{command:NAME} is the whole command: nothing may follow it")),
            };
        }
        crate::template::check_path(program)?;
        let mut args = Vec::new();
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

    /// The words that it is made of.
    pub(crate) fn tokens(&self) -> Vec<&Token> {
        match self {
            CommandTemplate::Keyword(_) => Vec::new(),
            CommandTemplate::Line { program, args } => {
                let args = args.iter().flat_map(|arg| match arg {
                    ArgTemplate::One(token) => std::slice::from_ref(token),
                    ArgTemplate::Optional(run) => run,
                });
                std::iter::once(program).chain(args).collect()
            }
        }
    }

    /// An argument that begins with a star and goes on: without a `--` before it, it could be an option.
    pub(crate) fn unguarded_star(&self) -> Option<&Token> {
        let words = self.tokens().into_iter().skip(1).take_while(|token| !token.is_word("--"));
        words.into_iter().find(|token| token.pieces.len() > 1 && token.pieces[0] == Piece::Star)
    }

    /// The command lines that it stands for: several, where the program is a list.
    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<Vec<Command>, Unbound> {
        match self {
            CommandTemplate::Keyword(name) => bind_keyword(name, binder).map(|command| vec![command]),
            CommandTemplate::Line { program, args } => {
                let args = bind_args(args, binder)?;
                let programs = binder.paths(program)?;
                Ok(programs.into_iter().map(|program| Command { program, args: args.clone() }).collect())
            }
        }
    }
}

fn check_args(args: &[ArgTemplate]) -> Result<(), Fault> {
    for (i, arg) in args.iter().enumerate() {
        match arg {
            ArgTemplate::One(token) if token.only() == Some(&Piece::DoubleStar) => {
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

/// A keyword is a whole argument, a whole component of one that is a path, or a path with a host or a scheme before it or a place
/// below.
fn check_arg(token: &Token) -> Result<(), Fault> {
    if token.pieces.contains(&Piece::DoubleStar) {
        return Err(token.fault("** is an argument of its own, and the last one"));
    }
    if token.pieces.iter().any(|piece| matches!(piece, Piece::Command(_))) {
        return Err(token.fault("{command:NAME} is the whole command"));
    }
    let whole = token.pieces.len() <= 1 || is_joined(token);
    match token.keywords().next() {
        Some(_) if whole => Ok(()),
        Some(_) if matches!(token.pieces.first(), Some(Piece::Literal(text)) if text.starts_with('/')) => {
            check_whole(token, &token.pieces)
        }
        Some(_) => Err(token.fault(
            "{kw:NAME} is a whole argument, but for /…/{kw:NAME}, {kw:NAME}/…, unix://{kw:NAME} and HOST:{kw:NAME}, such as {peer}:{kw:NAME}",
        )),
        None => Ok(()),
    }
}

/// Whether it is `{kw:NAME}/…`, `HOST:{kw:NAME}`, `SCHEME://{kw:NAME}` or both: a path, with something below it, on another host.
fn is_joined(token: &Token) -> bool {
    let Some(at) = token.pieces.iter().position(|piece| matches!(piece, Piece::Keyword(_))) else { return false };
    let (host, path) = token.pieces.split_at(at);
    let names_host = |piece: &Piece| matches!(piece, Piece::Literal(_) | Piece::Star | Piece::Name(Name::Peer));
    let is_host = match host.last() {
        None => true,
        Some(Piece::Literal(text)) if host.len() == 1 && text.ends_with("://") => true,
        Some(Piece::Literal(text)) => text.ends_with(':') && host.iter().all(names_host),
        Some(_) => false,
    };
    is_host
        && match path {
            [_] => true,
            [_, Piece::Literal(below), rest @ ..] => {
                below.starts_with('/') && rest.iter().all(|piece| matches!(piece, Piece::Literal(_) | Piece::Name(_)))
            }
            _ => false,
        }
}

/// The very command that a keyword holds. One that does not begin with a program's path grants nothing.
fn bind_keyword(name: &str, binder: &Binder<'_>) -> Result<Command, Unbound> {
    let keyword = binder.values(name)?;
    let [program, args @ ..] = keyword.values else { return Err(Unbound::Absent) };
    if !program.starts_with('/') {
        return Err(Unbound::Absent);
    }
    let path = PathGlob::new(Glob::text(program).0, false).map_err(|reason| binder.illegal(name, program, reason))?;
    for value in keyword.values {
        binder.vouch(&keyword, value);
    }
    Ok(Command { program: path, args: args.iter().map(|arg| Arg::Exact(Glob::text(arg))).collect() })
}

fn bind_args(args: &[ArgTemplate], binder: &Binder<'_>) -> Result<Vec<Arg>, Unbound> {
    let mut bound = Vec::new();
    // Whether a literal `--` has certainly gone before, so that what follows can be no option.
    let mut guarded = false;
    for arg in args {
        match arg {
            ArgTemplate::One(token) => bound.extend(bind_arg(token, &mut guarded, binder)?),
            ArgTemplate::Optional(run) => {
                let mut guarded_inside = guarded;
                let is_list = matches!(&run[..], [token] if matches!(token.only(), Some(Piece::Keyword(_))));
                let run: Result<Vec<Vec<Arg>>, Unbound> =
                    run.iter().map(|token| bind_arg(token, &mut guarded_inside, binder)).collect();
                match run {
                    Ok(values) if is_list => {
                        bound.extend(values.concat().into_iter().map(|value| Arg::Optional(vec![value])));
                    }
                    Ok(run) => bound.push(Arg::Optional(run.concat())),
                    Err(Unbound::Absent) => {}
                    Err(illegal) => return Err(illegal),
                }
            }
        }
    }
    Ok(bound)
}

fn bind_arg(token: &Token, guarded: &mut bool, binder: &Binder<'_>) -> Result<Vec<Arg>, Unbound> {
    match token.only() {
        Some(Piece::Star) => return Ok(vec![Arg::Any]),
        Some(Piece::DoubleStar) => return Ok(vec![Arg::Rest]),
        Some(Piece::Keyword(name)) if !*guarded => {
            let values = binder.values(name)?.values;
            if let Some(option) = values.iter().find(|value| value.starts_with('-')) {
                return Err(binder.illegal(
                    name,
                    option,
                    "an argument from a keyword may not begin with - unless -- precedes it",
                ));
            }
        }
        Some(Piece::Literal(text)) if text == "--" => *guarded = true,
        None if is_joined(token) => return Ok(binder.joined(token)?.into_iter().map(Arg::Exact).collect()),
        _ => {}
    }
    Ok(binder.words(token, As::Argument)?.into_iter().map(Arg::Exact).collect())
}

impl Command {
    /// Whether this command line is one of those that it stands for.
    pub(crate) fn matches(&self, program: &Path, args: &[String]) -> bool {
        if !self.program.matches(program) || args.iter().any(|arg| arg.contains('\0')) {
            return false;
        }
        let mut reached = vec![false; args.len() + 1];
        reached[0] = true;
        run(&self.args, reached, args)[args.len()]
    }
}

/// Which numbers of arguments can be used up after the patterns, if those in `reached` could be before them.
fn run(patterns: &[Arg], reached: Vec<bool>, args: &[String]) -> Vec<bool> {
    patterns.iter().fold(reached, |reached, pattern| match pattern {
        Arg::Exact(glob) => one(&reached, args, |at| glob.matches(&args[at])),
        Arg::Any => one(&reached, args, |at| !args[at].starts_with('-') || args[..at].iter().any(|arg| arg == "--")),
        Arg::Rest => {
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            (0..reached.len()).map(|at| at >= first).collect()
        }
        Arg::Optional(inner) => {
            let skipped = reached.clone();
            run(inner, reached, args).iter().zip(skipped).map(|(taken, skipped)| *taken || skipped).collect()
        }
    })
}

fn one(reached: &[bool], args: &[String], fits: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for at in (0..args.len()).filter(|&at| reached[at]) {
        next[at + 1] = fits(at);
    }
    next
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Exact(glob) => glob.fmt(f),
            Arg::Any => f.write_str("*"),
            Arg::Rest => f.write_str("**"),
            Arg::Optional(run) => {
                f.write_str("[")?;
                for (i, arg) in run.iter().enumerate() {
                    write!(f, "{}{arg}", if i > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.fmt(f)?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}
