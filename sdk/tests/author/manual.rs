//! The examples of the manual are lines of the template.

const MANUAL: &str = include_str!("../../../docs/writing-a-driver.md");
const TEMPLATE: &str = include_str!("../../../examples/driver-template/src/lib.rs");

/// The code between ```` ```rust ```` and the next fence.
fn examples() -> impl Iterator<Item = &'static str> {
    MANUAL.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next())
}

#[test]
fn every_line_of_an_example_stands_in_the_template_in_that_order() {
    assert!(examples().count() >= 4);
    for example in examples() {
        let mut template = TEMPLATE.lines();
        for line in example.lines().filter(|line| !line.trim().is_empty()) {
            assert!(template.any(|found| found == line), "not in the template, or not in that order: {line}");
        }
    }
}
