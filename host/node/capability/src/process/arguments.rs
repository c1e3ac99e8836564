//! Judges what the arguments of a program lead to. A grant is about the words of a command line; what is denied is a place, and it stays
//! denied under any name that leads there.
//!
//! An argument is looked at as far as a path that exists can be read in it: all of it, or what stands behind or before a mark, as in
//! `of=PATH`, `HOST:PATH`, `-oPATH` and `PATH:PATH:ro`. What a program makes of other words is its own.
//!
//! Outside of the namespace `root`, what is allowed is a place as well: where a link leads elsewhere, the policy of the namespace must allow
//! the command with that place.

use std::ops::Range;
use std::path::{Path, PathBuf};

use grant::op::ArgumentThing;
use grant::{Access, Operation};
use kernel::KernelError;
use kernel::block::DeviceSpec;
use kernel::path::NamedFile;

use super::ProcessCommand;
use crate::call::PlaceJudge;
use crate::{CallContext, CapabilityError};

/// Characters at which a path may begin or end within an argument.
const MARKS: &[char] = &['=', ':', ',', ';', '@', '"', '\'', '(', ')', '<', '>', '|', '&', ' ', '\t', '\n'];

/// Up to so many marks, each part between two of them is looked at. In a longer argument, the parts up to the next marks and up to the
/// end: the work grows with the length of the argument, and not with its square.
const FEW: usize = 24;
const NEAR: usize = 4;

/// Words that name a device by what is on it, and where udev makes links of that kind.
const CONTENT: [(&str, &str); 4] =
    [("LABEL", "by-label"), ("UUID", "by-uuid"), ("PARTLABEL", "by-partlabel"), ("PARTUUID", "by-partuuid")];

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
        let mut others: Vec<String> = Vec::new();
        let mut led = Vec::new();
        for (part, named) in named_in(arg, cwd) {
            if let Some(device) = named.device.filter(|device| device.is_block) {
                judge.own_loop(device.number)?;
            }
            if denies {
                let names = named.names();
                things.extend(names.iter().map(|name| thing(&named, name)));
                let (before, after) = (&arg[..part.start], &arg[part.end..]);
                others.extend(names.iter().map(|name| format!("{before}{}{after}", name.display())));
            }
        }
        for part in parts_of(arg).filter(|_| !context.is_of_root()) {
            let word = &arg[part.clone()];
            if command.cwd.is_some() || word.contains('/') {
                let place = place_in(&cwd.join(word), as_root)?;
                led.extend(place.map(|place| format!("{}{}{}", &arg[..part.start], place.display(), &arg[part.end..])));
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

/// The parts of an argument that name something, and what.
fn named_in(arg: &str, cwd: &Path) -> Vec<(Range<usize>, NamedFile)> {
    parts_of(arg).filter_map(|part| Some((part.clone(), named(&arg[part], cwd)?))).collect()
}

/// The parts of an argument in which a program may read a path.
fn parts_of(arg: &str) -> impl Iterator<Item = Range<usize>> + use<> {
    let marks: Vec<usize> = arg.char_indices().filter(|(_, c)| MARKS.contains(c)).map(|(at, _)| at).collect();
    let slash = arg.find('/').filter(|_| arg.starts_with('-'));
    let near = if marks.len() > FEW { NEAR } else { FEW };
    let mut parts = Vec::new();
    for start in std::iter::once(0).chain(marks.iter().map(|at| at + 1)).chain(slash) {
        let behind = &marks[marks.partition_point(|at| *at <= start)..];
        let ends = behind.iter().copied().take(near).chain([arg.len()]);
        parts.extend(ends.filter(|end| *end > start).map(|end| start..end));
    }
    parts.into_iter()
}

fn named(word: &str, cwd: &Path) -> Option<NamedFile> {
    if word.is_empty() {
        return None;
    }
    if let Some((kind, value)) = word.split_once('=')
        && let Some((_, directory)) = CONTENT.iter().find(|(known, _)| *known == kind)
    {
        let link = PathBuf::from(format!("/dev/disk/{directory}/{}", value.trim_matches('"')));
        let spec = DeviceSpec::parse(word);
        let by_content = || match spec {
            DeviceSpec::Path(_) => None,
            _ => kernel::block::find(word).ok().flatten().map(|device| device.path),
        };
        return NamedFile::at(&link).or_else(|| NamedFile::at(&by_content()?));
    }
    NamedFile::at(&cwd.join(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_wherever_programs_take_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a:b,c");
        std::fs::write(&file, "").unwrap();
        let real = std::fs::canonicalize(&file).unwrap();
        let text = file.display().to_string();
        let check = |arg: &str, expected: bool| {
            let found = named_in(arg, dir.path()).iter().any(|(part, named)| {
                named.real == real && (arg[part.clone()] == text || arg[part.clone()].ends_with("a:b,c"))
            });
            assert_eq!(found, expected, "{arg}");
        };
        for arg in [
            "{}",
            "of={}",
            "n2:{}",
            "--out={}",
            "-f{}",
            "-v={}:/mnt:ro",
            "type=bind,src={},ro",
            "file://{}",
            "a:b,c",
            "./a:b,c",
            "=a:b,c",
            "'{}'",
            "@{}",
        ] {
            check(&arg.replace("{}", &text), true);
        }
        let long = format!("{}{text}", "x,".repeat(200));
        check(&long, true);
        for arg in ["", "{}x", "x{}", "a:b", "-v", "of={}.d"] {
            check(&arg.replace("{}", &text), false);
        }
    }
}
