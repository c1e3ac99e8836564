//! The line that an author would write: what a refused operation names, with the templates that stand for it.

use crate::bind::context::{GrantContext, GrantKeyword};
use crate::line::token::{Token, quoted};
use crate::line::tokenizer::tokens;

/// Writes a concrete line as a request for any resource, as far as its words are what the resource's keywords and directories say:
/// `files.read = {statedir}/{rid}.ticket`.
pub fn suggested_request(line: &str, context: &GrantContext, keywords: &[GrantKeyword<'_>]) -> String {
    let Some((head, rest)) = line.split_once(" = ") else { return line.to_owned() };
    let Ok(words) = tokens(rest, 1) else { return line.to_owned() };
    let words: Vec<String> = words.iter().map(|word| suggested_word(word, context, keywords)).collect();
    format!("{head} = {}", words.join(" "))
}

fn suggested_word(word: &Token, context: &GrantContext, keywords: &[GrantKeyword<'_>]) -> String {
    let grammar = ["on", "via", "dev", "in"].into_iter().find(|grammar| word.is_word(grammar));
    if let Some(grammar) = grammar {
        return grammar.to_owned();
    }
    let Some(text) = word.literal().filter(|text| !text.is_empty()) else {
        return word.to_string();
    };
    let places = [("{rundir}", &context.rundir), ("{statedir}", &context.statedir), ("{config}", &context.config)];
    let places = places.into_iter().map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned()));
    let values =
        keywords.iter().filter(|keyword| keyword.provenance.binds()).filter_map(|keyword| match keyword.values {
            // A short word may stand there by chance.
            [value] if value.len() > 2 => Some((format!("{{kw:{}}}", keyword.name), value.clone())),
            _ => None,
        });
    // The longest first: a keyword may name a place below another one's.
    let mut known: Vec<(String, String)> = places.chain(values).collect();
    known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    for (template, value) in &known {
        if text == value {
            return template.clone();
        }
        if let Some(below) =
            text.strip_prefix(&**value).filter(|below| value.starts_with('/') && below.starts_with('/'))
        {
            return format!("{template}{}", with_rid(below, context));
        }
    }
    if text.starts_with('/') { with_rid(text, context) } else { quoted(text) }
}

/// Puts the template in the place of the resource's id where a component begins with it.
fn with_rid(path: &str, context: &GrantContext) -> String {
    let rid = context.rid.to_string();
    let component = |component: &str| match component.strip_prefix(&*rid) {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            format!("{{rid}}{}", if rest.is_empty() { String::new() } else { quoted(rest) })
        }
        _ if component.is_empty() => String::new(),
        _ => quoted(component),
    };
    path.split('/').map(component).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_suggests_what_an_author_would_write() {
        let context = GrantContext {
            object: "web".parse().unwrap(),
            rid: "app#1".parse().unwrap(),
            node: "n1".parse().unwrap(),
            rundir: "/run/hostler/svc/web".into(),
            statedir: "/var/lib/hostler/web/app#1".into(),
            config: "/etc/hostler/web.conf".into(),
            peers: Vec::new(),
        };
        let (own, url) = (vec!["/srv/web".to_owned()], vec!["https://api.example.net/v1".to_owned()]);
        let keywords = [GrantKeyword::written("own", &own), GrantKeyword::written("url", &url)];
        for (line, expected) in [
            ("files.read = /var/lib/hostler/web/app#1/app#1.ticket", "files.read = {statedir}/{rid}.ticket"),
            ("files.write = /run/hostler/svc/web/app#1/x", "files.write = {rundir}/{rid}/x"),
            ("files.write = /srv/web/in/a", "files.write = {kw:own}/in/a"),
            ("files.write = /srv/website", "files.write = /srv/website"),
            ("exec = /usr/bin/rsync -a -- /srv/web /mnt", "exec = /usr/bin/rsync -a -- {kw:own} /mnt"),
            ("http = POST https://api.example.net/v1", "http = POST {kw:url}"),
            ("mount = tmpfs tmpfs on /srv/web", "mount = tmpfs tmpfs on {kw:own}"),
            ("state", "state"),
        ] {
            let found = suggested_request(line, &context, &keywords);
            assert_eq!(found, expected);
            assert!(line == "state" || found.parse::<crate::GrantRequest>().is_ok(), "{found}");
        }
    }
}
