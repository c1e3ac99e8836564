//! The paths that a program may read in an argument: all of it, or what stands behind or before a mark, as in `of=PATH`, `HOST:PATH`,
//! `-oPATH`, `PATH:PATH:ro` and `file://HOST/PATH`, with the bytes that `%` stands for in an address.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use kernel::path::{NamedFile, place_in_program};

/// Characters at which a path may begin or end within an argument.
const MARKS: &[char] = &['=', ':', ',', ';', '@', '"', '\'', '(', ')', '<', '>', '|', '&', ' ', '\t', '\n'];

/// Up to so many marks, each part between two of them is looked at. In a longer argument, the parts up to the next marks and up to the
/// end: the work grows with the length of the argument, and not with its square.
const FEW: usize = 24;
const NEAR: usize = 4;

/// Words that name a device by what is on it, and where udev makes links of that kind.
const CONTENT: [(&str, &str); 4] =
    [("LABEL", "by-label"), ("UUID", "by-uuid"), ("PARTLABEL", "by-partlabel"), ("PARTUUID", "by-partuuid")];

/// The ways to write the address of a file of this host, see RFC 8089.
const FILE_URLS: [&str; 3] = ["file:", "file://", "file://localhost"];

/// An argument as it is, and with its `%` resolved.
pub(super) struct ArgumentReading<'a> {
    texts: Vec<Cow<'a, str>>,
}

/// A part of an argument in which a program may read a path.
#[derive(Debug, Clone)]
pub(super) struct ArgumentPart<'a> {
    text: &'a str,
    part: Range<usize>,
}

impl ArgumentReading<'_> {
    pub(super) fn of(arg: &str) -> ArgumentReading<'_> {
        ArgumentReading { texts: std::iter::once(Cow::Borrowed(arg)).chain(decoded(arg).map(Cow::Owned)).collect() }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = ArgumentPart<'_>> {
        self.texts.iter().flat_map(|text| ranges_of(text).map(move |part| ArgumentPart { text, part }))
    }
}

impl ArgumentPart<'_> {
    pub(super) fn word(&self) -> &str {
        &self.text[self.part.clone()]
    }

    /// The path that it is for a program that works in `cwd`.
    pub(super) fn path(&self, cwd: &Path) -> PathBuf {
        let written = cwd.join(self.word());
        place_in_program(&written, cwd).unwrap_or(written)
    }

    /// What it names, which may be there or is yet to be made: of the devices with a label, a program takes any.
    pub(super) fn named(&self, cwd: &Path) -> Vec<NamedFile> {
        let word = self.word();
        if let Some((kind, value)) = word.split_once('=')
            && let Some((_, directory)) = CONTENT.iter().find(|(known, _)| *known == kind)
        {
            let link = PathBuf::from(format!("/dev/disk/{directory}/{}", value.trim_matches('"')));
            let by_content = kernel::block::with_content(word).unwrap_or_default();
            return std::iter::once(link).chain(by_content).filter_map(|path| NamedFile::at(&path)).collect();
        }
        let path = self.path(cwd);
        let to_be_made = || word.contains('/').then(|| NamedFile::to_be_made(&path)).flatten();
        NamedFile::at(&path).or_else(to_be_made).into_iter().collect()
    }

    /// The argument with this path in place of the part.
    pub(super) fn with(&self, path: &Path) -> String {
        format!("{}{}{}", &self.text[..self.part.start], path.display(), &self.text[self.part.end..])
    }

    /// The ways to write the argument with this path in place of the part.
    pub(super) fn spelled(&self, path: &Path) -> Vec<String> {
        let mut spelled = vec![self.with(path)];
        let (before, after) = (&self.text[..self.part.start], &self.text[self.part.end..]);
        let scheme = before.to_ascii_lowercase().rfind(FILE_URLS[0]);
        if let Some(at) = scheme
            .filter(|at| matches!(before.get(at + FILE_URLS[0].len()..at + FILE_URLS[1].len()), None | Some("//")))
        {
            let before = &before[..at];
            spelled.extend(FILE_URLS.map(|url| format!("{before}{url}{}{after}", path.display())));
        }
        spelled
    }
}

fn ranges_of(arg: &str) -> impl Iterator<Item = Range<usize>> + use<> {
    let marks: Vec<usize> = arg.char_indices().filter(|(_, c)| MARKS.contains(c)).map(|(at, _)| at).collect();
    let slash = arg.find('/').filter(|_| arg.starts_with('-'));
    // Behind the host of an address.
    let hosts = arg.match_indices("//").filter_map(|(at, _)| Some(at + 2 + arg[at + 2..].find('/')?)).take(FEW);
    let near = if marks.len() > FEW { NEAR } else { FEW };
    let mut parts = Vec::new();
    for start in std::iter::once(0).chain(marks.iter().map(|at| at + 1)).chain(slash).chain(hosts) {
        let behind = &marks[marks.partition_point(|at| *at <= start)..];
        let ends = behind.iter().copied().take(near).chain([arg.len()]);
        parts.extend(ends.filter(|end| *end > start).map(|end| start..end));
    }
    parts.into_iter()
}

/// The argument with the bytes that `%2F` and the like stand for. None if there is none.
fn decoded(arg: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(arg.len());
    let mut rest = arg.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    (bytes.len() < arg.len()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
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
            let found = ArgumentReading::of(arg)
                .parts()
                .any(|part| part.named(dir.path()).iter().any(|named| named.real == real));
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
            "file:{}",
            "file://localhost{}",
            "FILE://n1.example.net{}",
            "url = \"file://localhost{}\"",
            "/proc/self/root{}",
            "/proc/thread-self/cwd/a:b,c",
            "of=/proc/self/cwd/a:b,c",
            "file:///proc/self/cwd/a%3ab%2Cc",
            "file:///proc/self/cwd/%61:b,c",
            "a:b,c",
            "./a:b,c",
            "=a:b,c",
            "'{}'",
            "@{}",
        ] {
            check(&arg.replace("{}", &text), true);
        }
        check(&format!("file://{}", text.replace('/', "%2f")), true);
        let long = format!("{}{text}", "x,".repeat(200));
        check(&long, true);
        for arg in ["", "{}x", "x{}", "a:b", "-v", "of={}.d", "/proc/self/a:b,c", "a%3Ab%2", "%"] {
            check(&arg.replace("{}", &text), false);
        }
    }

    #[test]
    fn an_address_of_a_file_is_spelled_in_each_of_its_ways() {
        let check = |arg: &str, expected: &[&str]| {
            let spelled: Vec<String> = ArgumentReading::of(arg)
                .parts()
                .filter(|part| part.word().starts_with("/etc") || part.word().starts_with("///etc"))
                .flat_map(|part| part.spelled(Path::new("/etc/passwd")))
                .collect();
            expected
                .iter()
                .for_each(|expected| assert!(spelled.iter().any(|one| one == expected), "{arg}: {spelled:?}"));
        };
        let all = ["file:/etc/passwd", "file:///etc/passwd", "file://localhost/etc/passwd"];
        for arg in ["file:/etc/x", "file:///etc/x", "file://localhost/etc/x", "FILE:///etc/x", "file:%2Fetc/x"] {
            check(arg, &all);
        }
        check("-ofile:/etc/x", &["-ofile:///etc/passwd"]);
        check("https://host/etc/x", &["https://host/etc/passwd"]);
    }

    #[test]
    fn what_a_percent_sign_stands_for_is_read() {
        assert_eq!(decoded("%2fetc%2Fa%20b").as_deref(), Some("/etc/a b"));
        for plain in ["", "%", "%2", "%zz", "100%", "%é1"] {
            assert_eq!(decoded(plain), None, "{plain}");
        }
    }
}
