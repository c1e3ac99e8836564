//! What a written value is made of: text, references `{…}` and arithmetic `$(…)`. Nothing is looked up here.

pub(crate) mod arithmetic;
pub(crate) mod template;
