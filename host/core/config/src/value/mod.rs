//! The parts of a written value: text, references `{…}` and arithmetic `$(…)`. Nothing is looked up here.

pub(crate) mod arithmetic;
pub(crate) mod template;
