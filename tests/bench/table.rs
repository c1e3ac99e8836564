//! The table: a line for everything that was measured, in Markdown.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::measure::Sample;

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
}

/// One thing that was measured.
struct Line {
    what: String,
    sample: Sample,
    against: Vec<Against>,
    target: Target,
}

/// A reference.
struct Against {
    name: &'static str,
    median: Duration,
}

/// The promised limit of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Nothing: a reference, or a figure for information.
    None,
    /// At most so long.
    Within(Duration),
    /// At most so long, and so many times faster than the first reference.
    Faster(Duration, u32),
}

impl Target {
    /// At most so many milliseconds.
    pub(crate) fn ms(limit: u64) -> Target {
        Target::Within(Duration::from_millis(limit))
    }
}

impl Table {
    /// Adds a line, compared with references by their names.
    pub(crate) fn add(&mut self, what: &str, sample: Sample, against: &[(&'static str, &Sample)], target: Target) {
        let against = against.iter().map(|(name, sample)| Against { name, median: sample.median() }).collect();
        self.lines.push(Line { what: what.to_owned(), sample, against, target });
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | median | min | max | peak memory | in the same run | promised | |")?;
        writeln!(f, "|---|--:|--:|--:|--:|---|---|---|")?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Sample { memory, .. } = self.sample;
        let [median, min, max] = [self.sample.median(), self.sample.min(), self.sample.max()].map(time);
        let memory = memory.map_or(String::new(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let against: Vec<String> = self.against.iter().map(|against| self.ratio(against)).collect();
        writeln!(
            f,
            "| {} | {median} | {min} | {max} | {memory} | {} | {} | {} |",
            self.what,
            against.join(", "),
            self.promised(),
            self.verdict()
        )
    }

    fn ratio(&self, against: &Against) -> String {
        let (mine, other) = (self.sample.median().as_secs_f64(), against.median.as_secs_f64());
        let (ratio, word) = if mine <= other { (other / mine, "faster") } else { (mine / other, "slower") };
        format!("{ratio:.1} × {word} than {}", against.name)
    }

    fn promised(&self) -> String {
        match self.target {
            Target::None => String::new(),
            Target::Within(limit) => format!("≤ {}", time(limit)),
            Target::Faster(limit, times) => format!("≤ {}, {times} × faster", time(limit)),
        }
    }

    fn verdict(&self) -> &'static str {
        let within = |limit| self.sample.median() <= limit;
        let faster = |times| self.against.first().is_some_and(|other| self.sample.median() * times <= other.median);
        let met = match self.target {
            Target::None => return "",
            Target::Within(limit) => within(limit),
            Target::Faster(limit, times) => within(limit) && faster(times),
        };
        if met { "met" } else { "not met" }
    }
}

/// Three digits, in the unit that suits.
fn time(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..1e3 => format!("{} µs", digits(micros)),
        1e3..1e6 => format!("{} ms", digits(micros / 1e3)),
        _ => format!("{} s", digits(micros / 1e6)),
    }
}

fn digits(number: f64) -> String {
    let decimals = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.decimals$}")
}
