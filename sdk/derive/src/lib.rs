//! The macros of the driver SDK: `#[derive(Keywords)]` and `#[driver]`.
//!
//! They write down what can be read off the source, and nothing else: the schema from a struct's fields, the list of verbs
//! from the functions of an `impl Driver`. What they generate names `::hostler_sdk` only.

mod attribute;
mod driver;
mod keywords;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Typed keywords: implements `hostler_sdk::Keywords` for a struct with named fields.
///
/// A field is a keyword of the same name, its type says what the value is made of (see `hostler_sdk::Value`), its doc
/// comment is the help. `#[keyword(…)]` says the rest:
///
/// - `default = "1g"`: the value when it is not written, in the syntax of the file; may hold references
/// - `example = "/srv/{fqdn}.img"`: a value to show
/// - `name = "type"`: where the keyword cannot be the field's name
/// - `alias = "old_name"`: an old spelling that goes on working; may be repeated
/// - `candidates("ext4", "xfs")`: the values it may have
/// - `kind = "nodes"`: another kind than the type's own
/// - `provisioning`: matters to provision alone
/// - `secret`: never shown
/// - `store = "sec"`, `store = "cfg"`: words that refer to keys of stores of that kind; the field holds what comes of them, a
///   variable `NAME=VALUE` each
/// - `inherit`: looked up in DEFAULT when the section does not hold it
/// - `scopable = false`: the same on every node
/// - `flatten`: no keyword; the field is a struct whose keywords are taken in
///
/// The doc comment of the struct that implements `Driver` is the driver's manual: its first paragraph the summary.
#[proc_macro_derive(Keywords, attributes(keyword))]
pub fn derive_keywords(input: TokenStream) -> TokenStream {
    keywords::expand(&parse_macro_input!(input)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a component of an `impl Driver for …`: writes its manifest, with the verbs found in it, and exports it.
///
/// `#[driver(task)]` also exports the type's `impl Task`, `#[driver(sync)]` its `impl Sync`, `#[driver(console)]`
/// its `impl Console`, `#[driver(migrate)]` its `impl Migrate`. A crate has one.
#[proc_macro_attribute]
pub fn driver(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as driver::Options);
    driver::expand(&options, &parse_macro_input!(item)).unwrap_or_else(syn::Error::into_compile_error).into()
}
