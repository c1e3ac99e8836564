//! The compile errors for wrong uses of the macros.

use proc_macro2::TokenStream;
use syn::parse_quote;

use crate::{driver, keywords};

fn check(expanded: syn::Result<TokenStream>, expected: &str) {
    let error = expanded.expect_err("an error").to_string();
    assert!(error.contains(expected), "expected {expected:?} in {error:?}");
}

#[test]
fn a_keyword_without_help_is_refused() {
    let input = parse_quote! { struct A { file: String } };
    check(keywords::expand(&input), "a keyword needs a doc comment");
}

#[test]
fn only_a_struct_of_named_fields_is_accepted() {
    check(keywords::expand(&parse_quote! { struct A(String); }), "use named fields");
    check(keywords::expand(&parse_quote! { enum A { B } }), "keywords are the fields of a struct");
}

#[test]
fn an_unknown_attribute_is_refused() {
    let input = parse_quote! { struct A { #[doc = "Help."] #[keyword(defualt = "x")] file: String } };
    check(keywords::expand(&input), "unknown: see the documentation");
}

#[test]
fn an_unknown_kind_is_refused_and_the_known_ones_are_listed() {
    let input = parse_quote! { struct A { #[doc = "Help."] #[keyword(kind = "colour")] file: String } };
    check(keywords::expand(&input), "no such kind: expected one of string, boolean, integer, size");
}

#[test]
fn keys_are_in_stores_of_two_kinds() {
    let input = parse_quote! { struct A { #[doc = "Help."] #[keyword(store = "svc")] keys: Vec<String> } };
    check(keywords::expand(&input), "no such store: expected one of sec, cfg");
}

#[test]
fn the_attribute_driver_goes_on_an_impl_driver_only() {
    let options = syn::parse_str("").expect("no options");
    check(driver::expand(&options, &parse_quote! { impl Task for A {} }), "goes on an `impl Driver for …`");
    check(driver::expand(&options, &parse_quote! { impl A {} }), "goes on an `impl Driver for …`");
}

#[test]
fn unknown_options_of_driver_are_refused() {
    let error = syn::parse_str::<driver::DriverOptions>("tasks").err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("expected `task`, `sync`, `console`, `migrate` or `fence`"));
}
