//! Judges what the arguments of a program lead to. A grant is about the words of a command line; what is denied is a place, and it stays
//! denied under any name that leads there.
//!
//! The paths are those that `argument_reading` finds in it. What a program makes of other words is its own.
//!
//! Outside of the namespace `root`, what is allowed is a place as well: where a link leads elsewhere, the policy of the namespace must allow
//! the command with that place.

use std::path::{Path, PathBuf};

use grant::op::ArgumentThing;
use grant::{Access, Operation};
use kernel::KernelError;
use kernel::path::NamedFile;

use super::ProcessCommand;
use super::argument_reading::{ArgumentPart, ArgumentReading};
use crate::call::PlaceJudge;
use crate::{CallContext, CapabilityError};

/// Refuses a program whose arguments lead to a loop device of another object, or to what a policy denies. `op` names the program by its
/// place.
pub(super) fn judge<O: Operation>(
    context: &CallContext,
    access: Access,
    op: &O,
    command: &ProcessCommand,
    as_root: bool,
) -> Result<(), CapabilityError> {
    let (judge, denies) = (context.place_judge(), context.grants().deny_something());
    if context.is_of_root() && !denies {
        return Ok(());
    }
    let cwd = Path::new(command.cwd.as_deref().unwrap_or("/"));
    let (mut spellings, mut places) = (Vec::new(), Vec::new());
    let mut things: Vec<ArgumentThing> = Vec::new();
    for arg in &command.args {
        let (mut others, mut led) = (Vec::new(), Vec::new());
        for part in ArgumentReading::of(arg).parts() {
            for named in part.named(cwd) {
                if let Some(device) = named.device.filter(|device| device.is_block) {
                    judge.own_loop(device.number)?;
                }
                if denies {
                    let names = named.names();
                    things.extend(names.iter().map(|name| thing(&named, name)));
                    others.extend(names.iter().flat_map(|name| part.spelled(name)));
                }
            }
            if !context.is_of_root() && (command.cwd.is_some() || part.word().contains('/')) {
                led.extend(place_of(&part, cwd, as_root)?.map(|place| part.with(&place)));
            }
        }
        spellings.push((arg.clone(), others));
        places.push(led);
    }
    judge_places(&judge, op, command, &places)?;
    if !denies {
        return Ok(());
    }
    // What stands in the working directory is named without it.
    things.extend(NamedFile::at(cwd).filter(|_| command.cwd.is_some()).map(|named| thing(&named, &named.real)));
    things.sort();
    things.dedup();
    judge.arguments(op, &spellings, &things, access)
}

/// Judges the program with the places instead of the names: with each by itself, as a word may be read in several ways, and with all.
fn judge_places<O: Operation>(
    judge: &PlaceJudge,
    op: &O,
    command: &ProcessCommand,
    places: &[Vec<String>],
) -> Result<(), CapabilityError> {
    let words = command.args.iter().zip(places);
    let led: Vec<(&str, &str)> =
        words.flat_map(|(word, places)| places.iter().map(|place| (place.as_str(), word.as_str()))).collect();
    let judged = |args: &[String]| match op.with_arguments(args) {
        Some(there) => judge.argument_places(op, &*there, &led),
        None => Ok(()),
    };
    let mut all = command.args.clone();
    for (at, led) in places.iter().enumerate() {
        for place in led {
            let mut one = command.args.clone();
            one[at].clone_from(place);
            judged(&one)?;
        }
        if let Some(place) = led.first() {
            all[at].clone_from(place);
        }
    }
    if all == command.args { Ok(()) } else { judged(&all) }
}

/// The place to which a part of an argument leads, if it is another one than it says.
fn place_of(part: &ArgumentPart<'_>, cwd: &Path, as_root: bool) -> Result<Option<PathBuf>, CapabilityError> {
    let (written, there) = (cwd.join(part.word()), part.path(cwd));
    let is_elsewhere = there != written;
    Ok(place_in(&there, as_root)?.or(Some(there).filter(|_| is_elsewhere)))
}

/// The place to which a path leads, if it is another one than the path says: also that of a file which the program may make there. For a
/// program of root it is an error if another user could make the path lead elsewhere. Devices have many names, which udev gives them: to
/// allow one is to allow the device.
fn place_in(written: &Path, as_root: bool) -> Result<Option<PathBuf>, CapabilityError> {
    let is_there = std::fs::symlink_metadata(written).is_ok();
    let above = written.parent().filter(|above| *above != Path::new("/") && above.is_dir());
    if !is_there && above.is_none() {
        return Ok(None);
    }
    let real = match kernel::path::place_of_root(written) {
        // A program of another user gets no further by its own links than that user does.
        _ if !as_root => kernel::path::place_of_user(written),
        Ok(real) => Some(real),
        // By links of root's alone: there is nothing that a program could open.
        Err(KernelError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let is_device = || NamedFile::at(written).is_some_and(|named| named.device.is_some());
    Ok(real.filter(|real| real != written.components().as_path() && !is_device()))
}

fn thing(named: &NamedFile, name: &Path) -> ArgumentThing {
    match named {
        NamedFile { device: Some(_), .. } => ArgumentThing::Device(name.to_owned()),
        NamedFile { is_directory: true, .. } => ArgumentThing::Tree(name.to_owned()),
        NamedFile { .. } => ArgumentThing::File(name.to_owned()),
    }
}
