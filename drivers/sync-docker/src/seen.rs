//! The record of the images that each target had at the last sync. It is kept in a file: one line for each node, with its name
//! and those images.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hostler_sdk::{Context, Mode, Result, files};

/// The images that each target had at the last sync.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct KnownImages(BTreeMap<String, Vec<String>>);

impl KnownImages {
    /// Reads the record. It is empty if there is no file.
    pub(crate) fn read(context: &Context) -> Result<KnownImages> {
        match files::read_text(place(context)?) {
            Ok(text) => Ok(KnownImages::parse(&text)),
            Err(error) if error.is_not_found() => Ok(KnownImages::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the record if it changed.
    pub(crate) fn write(&self, context: &Context) -> Result<()> {
        // Unchanged content is not written, because a write would count as a change of the action.
        if *self != KnownImages::read(context)? {
            files::make_directory(context.statedir()?, Mode(0o700))?;
            files::write(place(context)?, self.text(), Mode(0o644))?;
        }
        Ok(())
    }

    /// Records that the node has these images except those that it lacks.
    pub(crate) fn note(&mut self, node: &str, images: &[String], lacking: &[String]) {
        let has = images.iter().filter(|image| !lacking.contains(image)).cloned().collect();
        self.0.insert(node.to_owned(), has);
    }

    /// The nodes in the record.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The images that the node did not have at the last sync.
    pub(crate) fn lacking<'i>(&self, node: &str, images: &'i [String]) -> Vec<&'i str> {
        let has = self.0.get(node).map_or(&[][..], Vec::as_slice);
        images.iter().filter(|image| !has.contains(image)).map(String::as_str).collect()
    }

    fn parse(text: &str) -> KnownImages {
        let line = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            Some((words.next()?, words.collect()))
        };
        KnownImages(text.lines().filter_map(line).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|(node, images)| format!("{node} {}\n", images.join(" "))).collect()
    }
}

fn place(context: &Context) -> Result<PathBuf> {
    Ok(context.statedir()?.join("seen"))
}
