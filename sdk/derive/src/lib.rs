//! The macros of the driver SDK: `#[derive(Keywords)]` and `#[driver]`.
//!
//! They generate what follows from the source: the schema from a struct's fields, the list of verbs from the functions of
//! an `impl Driver`. The generated code names `::hostler_sdk` only.

mod attribute;
mod driver;
mod keywords;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Typed keywords: implements `hostler_sdk::Keywords` for a struct with named fields.
///
/// A field is a keyword of the same name; its type determines the kind of the value (see `hostler_sdk::Value`), and its doc
/// comment is the help text. `#[keyword(…)]` adds the rest:
///
/// - `default = "1g"`: the value if the keyword is not written, in the syntax of the file; may contain references
/// - `example = "/srv/{fqdn}.img"`: an example value
/// - `name = "type"`: the keyword's name, if it cannot be the field's name
/// - `alias = "old_name"`: an old spelling that is still accepted; may be repeated
/// - `candidates("ext4", "xfs")`: the allowed values
/// - `kind = "nodes"`: another kind than that of the field's type
/// - `provisioning`: only `provision` uses it
/// - `volumes`: words that may begin with the name of a volume of the object, `NAME/path:…`, which stands for its mount point
/// - `place`: the path that the resource makes, such as a mount point; what lies in it starts later and stops earlier
/// - `secret`: its value is never shown
/// - `store = "sec"`, `store = "cfg"`: words that refer to keys of data stores of that kind; the field receives the resolved
///   variables, `NAME=VALUE` each
/// - `inherit`: looked up in DEFAULT if the section does not contain it
/// - `scopable = false`: the same on every node
/// - `flatten`: the field is not a keyword, but a struct whose keywords are included
///
/// The doc comment of the struct that implements `Driver` is the driver's manual; its first paragraph is the summary.
#[proc_macro_derive(Keywords, attributes(keyword))]
pub fn derive_keywords(input: TokenStream) -> TokenStream {
    keywords::expand(&parse_macro_input!(input)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Turns an `impl Driver for …` into a component: writes its manifest, with the verbs found in it, and exports it.
///
/// `#[driver(task)]` also exports the type's `impl Task`, `#[driver(sync)]` its `impl Sync`, `#[driver(console)]`
/// its `impl Console`, `#[driver(migrate)]` its `impl Migrate`, `#[driver(fence)]` its `impl Fence`. A crate can have one driver.
#[proc_macro_attribute]
pub fn driver(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as driver::DriverOptions);
    driver::expand(&options, &parse_macro_input!(item)).unwrap_or_else(syn::Error::into_compile_error).into()
}
