//! The grid: what stands left of the bar is aligned within its section, the columns of the nodes over all of them.

use model::ObjectPath;

use super::MonLine;
use super::cell::{FAINT, HEAD, MonCell};

/// A section.
#[derive(Debug)]
pub(super) struct MonTable {
    pub(super) title: String,
    pub(super) rows: Vec<MonRow>,
}

#[derive(Debug, Default)]
pub(super) struct MonRow {
    pub(super) name: MonCell,
    /// The columns between the name and the bar.
    pub(super) middle: Vec<MonCell>,
    /// A cell each node. None: the row is about none, and has no bar.
    pub(super) nodes: Option<Vec<MonCell>>,
    pub(super) object: Option<ObjectPath>,
    pub(super) marked: bool,
}

/// All sections, over the same nodes.
#[derive(Debug)]
pub(super) struct MonGrid {
    pub(super) tables: Vec<MonTable>,
    pub(super) names: Vec<MonCell>,
}

/// The widths of the columns.
struct GridWidths {
    name: usize,
    /// From the name to the bar.
    middle: usize,
    /// Of each node's column. Those of nodes that do not fit are left out.
    nodes: Vec<usize>,
}

/// A name that is cut to this is still told apart from most others. Below the second one it is never cut.
const SHORT_NAME: usize = 20;
const LEAST_NAME: usize = 12;
/// A node's column is at least so wide, so that it does not move with every marker.
const LEAST_NODE: usize = 8;

impl MonGrid {
    pub(super) fn lines(&self, width: Option<usize>) -> Vec<MonLine> {
        let widths = self.widths(width);
        let mut lines = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            if at > 0 {
                lines.push(MonLine { text: String::new(), object: None });
            }
            lines.push(MonLine { text: self.head(table, &widths), object: None });
            let columns = columns(table);
            lines.extend(
                table.rows.iter().map(|row| MonLine { text: line(row, &columns, &widths), object: row.object.clone() }),
            );
        }
        let left_out = self.names.len() - widths.nodes.len();
        if left_out > 0 {
            let text = format!("{left_out} more nodes do not fit here: --node NODE shows them");
            lines.push(MonLine { text: MonCell::of(text, FAINT).render(None), object: None });
        }
        lines
    }

    fn head(&self, table: &MonTable, widths: &GridWidths) -> String {
        // As far right as the cells of the rows below: behind the blank in front, the bar and another blank.
        let left = widths.name + widths.middle + 4;
        let mut text = MonCell::of(&table.title, HEAD).render(Some(left));
        for (name, width) in self.names.iter().zip(&widths.nodes) {
            text += &name.render(Some(*width));
            text += "  ";
        }
        text.trim_end().to_owned()
    }

    fn widths(&self, limit: Option<usize>) -> GridWidths {
        let rows = || self.tables.iter().flat_map(|table| &table.rows);
        let name = rows().map(|row| row.name.width()).max().unwrap_or(0).max(LEAST_NAME - 1);
        let middle = self.tables.iter().flat_map(|table| {
            let columns = columns(table);
            // Only what stands left of a bar moves it.
            let rows = table.rows.iter().filter(|row| row.nodes.is_some());
            rows.map(move |row| row.middle_width(&columns)).collect::<Vec<_>>()
        });
        // A title with a selector in it may be the widest of all.
        let titles = self.tables.iter().map(|table| (table.title.chars().count() + 1).saturating_sub(name + 4));
        let middle = middle.chain(titles).max().unwrap_or(0);
        let node = |at: usize| {
            let cells = rows().filter_map(|row| row.nodes.as_ref()?.get(at)).map(MonCell::width);
            cells.chain([self.names[at].width(), LEAST_NODE]).max().unwrap_or(LEAST_NODE)
        };
        let mut widths = GridWidths { name, middle, nodes: (0..self.names.len()).map(node).collect() };
        if let Some(limit) = limit {
            let least: Vec<usize> = self.names.iter().map(|name| name.width().max(LEAST_NODE)).collect();
            widths.fit(limit, &least);
        }
        widths
    }
}

impl MonRow {
    /// The columns between the name and the bar that it uses, with a blank behind each.
    fn middle_width(&self, columns: &[usize]) -> usize {
        columns.iter().take(self.used()).map(|width| width + 1).sum()
    }

    /// How many cells there are, up to the last that is not empty.
    fn used(&self) -> usize {
        self.middle.iter().rposition(|cell| cell.width() > 0).map_or(0, |last| last + 1)
    }
}

impl GridWidths {
    /// Of the whole line: a blank in front, one behind the name, the bar and one behind it, two behind each node.
    fn whole(&self) -> usize {
        // The last column needs no blanks behind it.
        (self.name + self.middle + 4 + self.nodes.iter().map(|width| width + 2).sum::<usize>()).saturating_sub(2)
    }

    /// Cuts until it fits: long names, what the cells say behind their markers, shorter names, and then whole nodes.
    fn fit(&mut self, limit: usize, least: &[usize]) {
        while self.whole() > limit {
            let widest =
                (0..self.nodes.len()).filter(|at| self.nodes[*at] > least[*at]).max_by_key(|at| self.nodes[*at]);
            match widest {
                _ if self.name > SHORT_NAME => self.name -= 1,
                Some(at) => self.nodes[at] -= 1,
                None if self.name > LEAST_NAME => self.name -= 1,
                None if self.nodes.len() > 1 => drop(self.nodes.pop()),
                None => return,
            }
        }
    }
}

/// The widths of the columns between the name and the bar.
fn columns(table: &MonTable) -> Vec<usize> {
    let count = table.rows.iter().map(|row| row.middle.len()).max().unwrap_or(0);
    let width = |at: usize| table.rows.iter().filter_map(|row| row.middle.get(at)).map(MonCell::width).max();
    (0..count).map(|at| width(at).unwrap_or(0)).collect()
}

fn line(row: &MonRow, columns: &[usize], widths: &GridWidths) -> String {
    let mut text = format!("{}{} ", if row.marked { ">" } else { " " }, row.name.render(Some(widths.name)));
    for (cell, width) in row.middle.iter().zip(columns).take(row.used()) {
        text += &cell.render(Some(*width));
        text.push(' ');
    }
    let Some(nodes) = &row.nodes else { return text.trim_end().to_owned() };
    text += &" ".repeat(widths.middle.saturating_sub(row.middle_width(columns)));
    text.push('|');
    for (cell, width) in nodes.iter().zip(&widths.nodes) {
        text.push(' ');
        text += &cell.render(Some(*width));
        text.push(' ');
    }
    text.trim_end().to_owned()
}
