//! `#[driver]`: finds the verbs of an `impl Driver` and generates the exports of the component.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, ImplItem, ItemImpl, Result, Token};

/// The verbs of `impl Driver`, in life-cycle order.
const LIFE_CYCLE: [&str; 6] = ["validate", "status", "start", "stop", "provision", "unprovision"];

/// The options in the parentheses of `#[driver(…)]`.
pub(crate) struct DriverOptions {
    task: bool,
    sync: bool,
    console: bool,
    migrate: bool,
    fence: bool,
}

impl Parse for DriverOptions {
    fn parse(input: ParseStream<'_>) -> Result<DriverOptions> {
        let mut options = DriverOptions { task: false, sync: false, console: false, migrate: false, fence: false };
        for word in Punctuated::<Ident, Token![,]>::parse_terminated(input)? {
            match word.to_string().as_str() {
                "task" => options.task = true,
                "sync" => options.sync = true,
                "console" => options.console = true,
                "migrate" => options.migrate = true,
                "fence" => options.fence = true,
                _ => {
                    return Err(syn::Error::new(
                        word.span(),
                        "expected `task`, `sync`, `console`, `migrate` or `fence`",
                    ));
                }
            }
        }
        Ok(options)
    }
}

pub(crate) fn expand(options: &DriverOptions, item: &ItemImpl) -> Result<TokenStream> {
    // A macro sees no types, so the last name of the path must do: `hostler_sdk::Driver` is accepted too.
    let is_driver =
        item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).is_some_and(|last| last.ident == "Driver");
    if !is_driver {
        return Err(syn::Error::new_spanned(item, "#[driver] goes on an `impl Driver for …`"));
    }
    let driver = &item.self_ty;
    let verbs = verbs(options, item);
    let task = options.task.then(|| quote!(::hostler_sdk::export_task!(#driver);));
    let sync = options.sync.then(|| quote!(::hostler_sdk::export_sync!(#driver);));
    let console = options.console.then(|| quote!(::hostler_sdk::export_console!(#driver);));
    let migrate = options.migrate.then(|| quote!(::hostler_sdk::export_migrate!(#driver);));
    let fence = options.fence.then(|| quote!(::hostler_sdk::export_fence!(#driver);));
    Ok(quote! {
        #item

        impl ::hostler_sdk::export::DriverRegistration for #driver {
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
            const VERBS: &'static [&'static str] = &[#(#verbs),*];
            const MANIFEST: &'static [u8] = {
                const LENGTH: usize = ::hostler_sdk::manifest::length::<#driver>();
                &::hostler_sdk::manifest::write::<#driver, LENGTH>()
            };
        }

        ::hostler_sdk::export_driver!(#driver);
        #task
        #sync
        #console
        #migrate
        #fence
    })
}

fn verbs(options: &DriverOptions, item: &ItemImpl) -> Vec<&'static str> {
    // The default bodies of the trait do nothing, so a verb counts only if it is written in this block.
    let has = |verb: &&str| item.items.iter().any(|item| matches!(item, ImplItem::Fn(f) if f.sig.ident == verb));
    // The optional traits are other blocks, which this macro does not see: all verbs of a console are listed.
    let console = options.console;
    let extra = [
        (options.task, "run"),
        (options.sync, "sync"),
        (console, "enter"),
        (console, "exec"),
        (console, "logs"),
        (options.migrate, "migrate"),
        (options.fence, "fence"),
    ];
    let extra = extra.into_iter().filter_map(|(wanted, verb)| wanted.then_some(verb));
    LIFE_CYCLE.into_iter().filter(has).chain(extra).collect()
}
