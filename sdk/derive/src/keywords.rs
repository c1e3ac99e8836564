//! `#[derive(Keywords)]`: generates the schema and the function that reads a section.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields, Result};

use crate::attribute::{KeywordAttribute, documentation};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = fields_of(input)?;
    let entries = fields.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let reads = fields.iter().map(read).collect::<Result<Vec<_>>>()?;
    let (name, documentation) = (&input.ident, documentation(&input.attrs));
    let (summary, description) = documentation.split_once("\n\n").unwrap_or((&documentation, ""));
    // A line break within the paragraph only comes from the width of the source.
    let summary = summary.replace('\n', " ");
    // The generated `let _ = section` is for a struct without keywords, which would leave its argument unused.
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics ::hostler_sdk::Keywords for #name #type_generics #where_clause {
            const SUMMARY: &'static str = #summary;
            const DESCRIPTION: &'static str = #description;
            const SCHEMA: &'static [::hostler_sdk::schema::SchemaEntry] = &[#(#entries),*];

            fn read(section: &::hostler_sdk::schema::Section) -> ::hostler_sdk::Result<Self> {
                let _ = section;
                Ok(Self { #(#reads),* })
            }
        }
    })
}

fn fields_of(input: &DeriveInput) -> Result<Vec<Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().cloned().collect()),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(_) => Err(syn::Error::new_spanned(input, "a keyword needs a name: use named fields")),
        },
        _ => Err(syn::Error::new_spanned(input, "keywords are the fields of a struct")),
    }
}

/// The keyword's name: the field's name, unless the attribute gives another.
fn name_of(field: &Field, attribute: &KeywordAttribute) -> String {
    // The field `r#type` is the keyword `type`.
    let own = || field.ident.as_ref().map(|ident| ident.unraw().to_string());
    attribute.name.clone().or_else(own).unwrap_or_default()
}

fn entry(field: &Field) -> Result<TokenStream> {
    let attribute = KeywordAttribute::of(&field.attrs)?;
    let of = &field.ty;
    if attribute.flatten {
        return Ok(quote!(::hostler_sdk::schema::SchemaEntry::Group(<#of as ::hostler_sdk::Keywords>::SCHEMA)));
    }
    let help = documentation(&field.attrs);
    // The help of a keyword is what operators read in `om config doc`, so it is required.
    if help.is_empty() {
        return Err(syn::Error::new_spanned(field, "a keyword needs a doc comment: it is its help"));
    }
    let name = name_of(field, &attribute);
    let KeywordAttribute {
        aliases,
        default,
        example,
        candidates,
        provisioning,
        place,
        volumes,
        secret,
        store,
        inherit,
        scopable,
        ..
    } = &attribute;
    let kind = match (&attribute.kind, store) {
        (Some(kind), _) => quote!(#kind),
        // References to data stores are words, like the variables that they become.
        (None, Some(_)) => quote!("words"),
        (None, None) => quote!(<#of as ::hostler_sdk::Value>::KIND),
    };
    let required = match default {
        // With a default, the keyword always has a value.
        Some(_) => quote!(false),
        None => quote!(<#of as ::hostler_sdk::Value>::REQUIRED),
    };
    let default = match default {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    };
    let store = match store {
        Some(kind) => quote!(::core::option::Option::Some(#kind)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote! {
        ::hostler_sdk::schema::SchemaEntry::Keyword(::hostler_sdk::schema::KeywordSchema {
            name: #name,
            aliases: &[#(#aliases),*],
            kind: #kind,
            default: #default,
            required: #required,
            scopable: #scopable,
            inherit: #inherit,
            provisioning: #provisioning,
            place: #place,
            volumes: #volumes,
            secret: #secret,
            store: #store,
            candidates: &[#(#candidates),*],
            help: #help,
            example: #example,
        })
    })
}

fn read(field: &Field) -> Result<TokenStream> {
    let attribute = KeywordAttribute::of(&field.attrs)?;
    let ident = &field.ident;
    if attribute.flatten {
        return Ok(quote!(#ident: ::hostler_sdk::Keywords::read(section)?));
    }
    let name = name_of(field, &attribute);
    Ok(quote!(#ident: section.value(#name)?))
}
