//! Reads `#[keyword(…)]` and doc comments.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, Lit, LitBool, LitStr, Meta, Result, Token, parenthesized};

/// The kinds that a manifest knows.
const KINDS: [&str; 13] = [
    "string", "boolean", "integer", "size", "duration", "list", "words", "command", "launcher", "path", "mode",
    "nodes", "schedule",
];

/// The kinds of objects that hold keys.
const STORES: [&str; 2] = ["sec", "cfg"];

/// The `#[keyword(…)]` attribute of a field.
pub(crate) struct KeywordAttribute {
    pub(crate) name: Option<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) kind: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) example: String,
    pub(crate) candidates: Vec<String>,
    pub(crate) provisioning: bool,
    pub(crate) place: bool,
    pub(crate) volumes: bool,
    pub(crate) secret: bool,
    pub(crate) store: Option<String>,
    pub(crate) inherit: bool,
    pub(crate) scopable: bool,
    pub(crate) flatten: bool,
}

impl KeywordAttribute {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<KeywordAttribute> {
        let mut read = KeywordAttribute {
            name: None,
            aliases: Vec::new(),
            kind: None,
            default: None,
            example: String::new(),
            candidates: Vec::new(),
            provisioning: false,
            place: false,
            volumes: false,
            secret: false,
            store: None,
            inherit: false,
            // The only switch that is on unless it is written: most keywords may differ between nodes.
            scopable: true,
            flatten: false,
        };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("keyword")) {
            attribute.parse_nested_meta(|meta| read.member(&meta))?;
        }
        Ok(read)
    }

    fn member(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "name" => self.name = Some(text(meta)?),
            "alias" => self.aliases.push(text(meta)?),
            "kind" => self.kind = Some(one_of(meta, "kind", &KINDS)?),
            "default" => self.default = Some(text(meta)?),
            "example" => self.example = text(meta)?,
            "candidates" => self.candidates = texts(meta)?,
            "provisioning" => self.provisioning = true,
            "place" => self.place = true,
            "volumes" => self.volumes = true,
            "secret" => self.secret = true,
            "store" => self.store = Some(one_of(meta, "store", &STORES)?),
            "inherit" => self.inherit = true,
            "scopable" => self.scopable = meta.value()?.parse::<LitBool>()?.value,
            "flatten" => self.flatten = true,
            _ => return Err(meta.error("unknown: see the documentation of #[derive(Keywords)]")),
        }
        Ok(())
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

fn texts(meta: &ParseNestedMeta<'_>) -> Result<Vec<String>> {
    let list;
    parenthesized!(list in meta.input);
    let words = list.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
    Ok(words.iter().map(LitStr::value).collect())
}

fn one_of(meta: &ParseNestedMeta<'_>, what: &str, known: &[&str]) -> Result<String> {
    // Checked here, so that the compiler reports a mistake at its word. Otherwise the host would, when it loads the
    // driver.
    let word: LitStr = meta.value()?.parse()?;
    if known.contains(&word.value().as_str()) {
        return Ok(word.value());
    }
    Err(syn::Error::new(word.span(), format!("no such {what}: expected one of {}", known.join(", "))))
}

/// The text of a doc comment, without the space after the slashes.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(doc_line);
    // Only the one blank behind the slashes: more of them indent an example.
    let lines: Vec<String> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
