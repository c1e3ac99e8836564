//! Paths and volumes that the container sees: `-v`, `--mount`, and the keyword `volume_mounts`.

use std::fmt;
use std::str::FromStr;

use crate::spec::{RunArgs, TmpfsMount};
use crate::value::{ParseResult, flag};

const EXPECTED: &str = "SOURCE:/TARGET[:OPTIONS], the source a path or the name of a volume";

/// The options that may follow the target.
const OPTIONS: [&str; 15] = [
    "ro",
    "rw",
    "z",
    "Z",
    "nocopy",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "consistent",
    "cached",
    "delegated",
    "rbind",
];

/// A directory of the node or a volume of the engine, in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeMount {
    /// A path of the node, or the name of a volume. `None`: a volume without a name, which the engine creates.
    pub source: Option<String>,
    /// A path in the container.
    pub target: String,
    /// Such as `ro`, in the order written.
    pub options: Vec<String>,
}

impl VolumeMount {
    /// Whether the container may not write there.
    pub fn read_only(&self) -> bool {
        self.options.iter().any(|option| option == "ro")
    }

    /// Whether the source is a path of the node, and not a volume of the engine.
    pub fn is_bind(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.starts_with('/'))
    }
}

impl FromStr for VolumeMount {
    type Err = &'static str;

    /// `source:/target[:options]`, or `/target` alone.
    fn from_str(text: &str) -> ParseResult<VolumeMount> {
        // docker knows no escape for a colon, so neither does this.
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match parts[..] {
            [target] => (None, target, ""),
            [source, target] => (Some(source), target, ""),
            [source, target, options] => (Some(source), target, options),
            _ => return Err(EXPECTED),
        };
        // A name as engines allow them; a relative path would depend on where the client runs.
        let legal_source = |source: &str| {
            let name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            source.starts_with('/') || (!source.starts_with('.') && !source.is_empty() && source.chars().all(name))
        };
        if !target.starts_with('/') || !source.is_none_or(legal_source) {
            return Err(EXPECTED);
        }
        let options: Vec<String> = options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        if options.iter().any(|option| !OPTIONS.contains(&option.as_str())) {
            return Err("options of ro, rw, z, Z, nocopy and the kinds of propagation");
        }
        Ok(VolumeMount { source: source.map(str::to_owned), target: target.to_owned(), options })
    }
}

impl fmt::Display for VolumeMount {
    /// Writes it as the engine takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{source}:")?;
        }
        f.write_str(&self.target)?;
        if !self.options.is_empty() {
            write!(f, ":{}", self.options.join(","))?;
        }
        Ok(())
    }
}

/// Reads `type=bind,source=/a,target=/b,readonly` into the fields of `-v` or `--tmpfs`.
pub(crate) fn mount(text: &str, spec: &mut RunArgs) -> ParseResult<()> {
    const EXPECTED: &str = "type=bind|volume|tmpfs,[source=PATH,]target=/PATH[,readonly]";
    let (mut kind, mut source, mut target) = ("volume", None, None);
    let (mut options, mut memory) = (Vec::new(), Vec::new());
    for field in text.split(',') {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        match name {
            "type" => kind = value,
            "source" | "src" => source = Some(value),
            "target" | "dst" | "destination" => target = Some(value),
            "readonly" | "ro" if value.is_empty() || flag(value)? => options.push("ro".to_owned()),
            "readonly" | "ro" => {}
            "bind-propagation" => options.push(value.to_owned()),
            "volume-nocopy" if value.is_empty() || flag(value)? => options.push("nocopy".to_owned()),
            "tmpfs-size" => memory.push(format!("size={value}")),
            "tmpfs-mode" => memory.push(format!("mode={value}")),
            _ => return Err(EXPECTED),
        }
    }
    let target = target.filter(|target| target.starts_with('/') && !target.contains(':')).ok_or(EXPECTED)?;
    match (kind, source) {
        ("tmpfs", None) => {
            memory.extend(options);
            spec.tmpfs.push(TmpfsMount { target: target.to_owned(), options: memory.join(",") });
            Ok(())
        }
        ("bind", Some(source)) if source.starts_with('/') && !source.contains(':') => {
            push(spec, Some(source), target, &options)
        }
        ("volume", source) if source.is_none_or(|source| !source.starts_with('/')) => {
            push(spec, source, target, &options)
        }
        _ => Err(EXPECTED),
    }
}

fn push(spec: &mut RunArgs, source: Option<&str>, target: &str, options: &[String]) -> ParseResult<()> {
    // Written and read again in the other syntax, so that the same rules apply to both.
    let volume =
        VolumeMount { source: source.map(str::to_owned), target: target.to_owned(), options: options.to_vec() };
    if volume.source.is_none() && !volume.options.is_empty() {
        return Err("a source, where there are options");
    }
    spec.volumes.push(volume.to_string().parse()?);
    Ok(())
}
