//! Columns, for people: as wide as they need to be, two blanks apart.

/// A table with a head. Nothing below the head is an empty text.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bcdef", "x"], ["ää", "b", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&["A", "B", "C"], &rows), "A   B      C\na   bcdef  x\nää  b\n");
        assert_eq!(table(&["A"], &[]), "");
    }
}
