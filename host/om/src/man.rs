//! `om man`: the manual pages, from the same definitions as `--help`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::command::{ObjectLine, OmLine};
use crate::exit::Outcome;
use crate::terminal::print_bytes;

pub(crate) fn run(to: Option<&Path>) -> Outcome {
    let Some(directory) = to else {
        print_bytes(&render(&om())?);
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, page) in pages()? {
        let path = directory.join(format!("{name}.1"));
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn om() -> Command {
    OmLine::command()
}

/// The actions on objects, under a name that a page can have.
fn object() -> Command {
    ObjectLine::command().name("om-object").bin_name("om SELECTOR").display_name("om-object")
}

/// `om`, `om-driver`, `om-driver-ls`, …, `om-object` for the actions of objects, `om-object-start`, …: one page each.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for (mut command, spoken) in [(om(), "om"), (object(), "om SELECTOR")] {
        // A `help` subcommand would be listed in each page, and refer to a page that is not written.
        command = command.disable_help_subcommand(true);
        // clap adds inherited options when it parses a line. Here none is parsed.
        command.build();
        add(&mut pages, &command, command.get_name(), spoken)?;
    }
    Ok(pages)
}

/// The page of a command, and those of all below it.
fn add(pages: &mut Vec<(String, Vec<u8>)>, command: &Command, name: &str, spoken: &str) -> anyhow::Result<()> {
    // The title of a page has hyphens, but its synopsis shows what an operator types.
    let named = command.clone().name(name.to_owned()).display_name(name).bin_name(spoken);
    pages.push((name.to_owned(), render(&named)?));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        let word = below.get_name();
        add(pages, below, &format!("{name}-{word}"), &format!("{spoken} {word}"))?;
    }
    Ok(())
}

fn render(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).manual("Hostler").render(&mut page).context("cannot render a manual page")?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_action_has_a_page_that_shows_how_it_is_typed() {
        let pages = pages().unwrap();
        for (name, synopsis) in [
            ("om", "om"),
            ("om-driver", "om driver"),
            ("om-driver-inspect", "om driver inspect"),
            ("om-object", "om SELECTOR"),
            ("om-object-start", "om SELECTOR start"),
        ] {
            let (_, page) = pages.iter().find(|(page, _)| page == name).unwrap_or_else(|| panic!("no page {name}"));
            let page = String::from_utf8_lossy(page).replace("\\-", "-");
            assert!(page.contains(&format!("\\fB{synopsis}\\fR")), "{name}: {page}");
        }
    }

    #[test]
    fn every_page_that_is_referred_to_is_there() {
        let pages = pages().unwrap();
        let mut referred = 0;
        for (name, page) in &pages {
            let page = String::from_utf8_lossy(page).replace("\\-", "-");
            let words = page.split_whitespace().map(|word| word.trim_end_matches(','));
            for other in words.filter_map(|word| word.strip_suffix("(1)")).filter(|other| other.starts_with("om-")) {
                assert!(pages.iter().any(|(page, _)| page == other), "{name} speaks of {other}(1)");
                referred += 1;
            }
        }
        assert!(referred > 50, "{referred}");
    }
}
