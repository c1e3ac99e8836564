//! Measures the costs of Hostler against references from the same run: `make bench`, `cargo bench -p hostler-om`.
//!
//! With HOSTLER_BENCH_BASE, the path of an `om` of an earlier version, commands are run in turn with that one's.
//!
//! It prints a table and always succeeds: it is not a test, because a busy machine is not a fault of the code. The commands are
//! the real `om`, each in a process of its own; calls of drivers and plans are made through the libraries.

mod commands;
mod denied;
mod library;
mod measure;
mod node;
mod references;
mod table;

use anyhow::Result;

use crate::node::Node;
use crate::table::Table;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(measure::PEAK) => return measure::peak_child(&words[1..]),
        // `cargo test --benches` runs this too, without a word: it has nothing to test.
        Some("--bench") => {}
        _ => return Ok(()),
    }
    let node = Node::new()?;
    let mut table = Table::default();
    let references = references::measure(&node, &mut table)?;
    library::calls(&node, &references, &mut table)?;
    denied::calls(&mut table)?;
    library::plan(&mut table)?;
    library::proof(&mut table)?;
    commands::status(&node, &references, &mut table)?;
    commands::life(&node, &references, &mut table)?;
    commands::list(&node, &references, &mut table)?;
    commands::validate(&node, &references, &mut table)?;
    commands::status_of_all(&node, &mut table)?;
    commands::life_of_all(&node, &mut table)?;
    commands::cold_cache(&node, &mut table)?;
    print(&table.to_string());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(text: &str) {
    print!("{text}");
}
