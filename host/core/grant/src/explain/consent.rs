//! Consent as text: the policy line that agrees to a request, and a driver's `.policy` file with lines added or removed.
//!
//! The file belongs to the site: comments, order and all other lines stay as they are.

use crate::capability::definition::Capability;
use crate::line::grant_line::GrantLine;
use crate::line::origin::LineOrigin;
use crate::line::token::{Token, TokenPiece};
use crate::line::tokenizer::tokens;
use crate::policy::ComponentDigest;
use crate::request::GrantRequest;

impl GrantRequest {
    /// The policy line that agrees to this request and to nothing else: a site's policy for a driver may name the keywords of the
    /// driver, so it is the very line that the driver asks for.
    pub fn allow_line(&self) -> String {
        let (head, rest) = halves(self.0.as_str());
        format!("{} = {}", head.trim(), rest.trim())
    }

    /// Whether a policy line could decide about anything that this request allows.
    pub fn may_need(&self, line: &str) -> bool {
        let Ok(typed) = GrantLine::parse(line, 1, LineOrigin::Policy) else { return false };
        let capability = self.0.capability;
        if typed.capability != capability && !capability.also_decided_by.contains(&typed.capability.name) {
            return false;
        }
        if typed.as_str() == self.allow_line() {
            return true;
        }
        // What the keywords will hold is not known: any value, as in a line that is denied.
        let Ok(wide) = GrantLine::parse(&self.wide_line(), 1, LineOrigin::Policy) else { return true };
        wide.may_meet(&typed)
    }

    /// The line about the same, whatever the resource's keywords hold: for a `deny`, which cannot name keywords, so stars stand for
    /// them.
    pub fn wide_line(&self) -> String {
        let line = &self.0;
        let (head, rest) = halves(line.as_str());
        format!("{} = {}", head.trim(), policy_words(line.capability, rest).join(" "))
    }
}

/// The `deny` that forbids all of a line. A line that allows writing also allows reading, so both must be denied: and a path
/// that may not be read may not be written either.
fn forbidding(line: &str) -> String {
    let bare = without_attributes(line);
    match bare.split_once("files.write") {
        Some(("", rest)) => format!("files.read{rest}"),
        _ => bare,
    }
}

/// All `deny` lines that forbid what one of these lines allows, or a part of it.
fn denials(lines: &[String]) -> Vec<String> {
    let wide =
        |line: &String| line.parse::<GrantRequest>().map_or_else(|_| line.clone(), |request| request.wide_line());
    lines
        .iter()
        .flat_map(|line| [line.clone(), wide(line)])
        .flat_map(|line| [without_attributes(&line), forbidding(&line)])
        .collect()
}

/// Cuts a line at its `=`, which is not the `=` of an attribute.
pub(super) fn halves(line: &str) -> (&str, &str) {
    let equals = line.find('=').unwrap_or(line.len());
    let attributes = line.find('(').filter(|open| *open < equals);
    // `user=x` in parentheses holds an `=` too.
    let close = attributes.and_then(|_| line.find(')')).unwrap_or(0);
    line[close..].split_once('=').map_or((line, ""), |(_, rest)| (&line[..line.len() - rest.len() - 1], rest))
}

/// The words of a request as a policy can write them.
pub(super) fn policy_words(capability: &Capability, words: &str) -> Vec<String> {
    let words = tokens(words, 1).unwrap_or_default();
    words.iter().enumerate().map(|(at, word)| policy_word(capability, at, word)).collect()
}

/// Writes a word of a request as a policy can.
fn policy_word(capability: &Capability, at: usize, word: &Token) -> String {
    if let Some(any) = word.pieces.first().and_then(|first| (capability.policy_word)(at, first)) {
        return any.to_owned();
    }
    // The path behind `HOST:` contains slashes, which a star within a word does not stand for.
    if matches!(word.pieces.last(), Some(TokenPiece::Keyword(_))) && word.pieces.iter().any(ends_host) {
        return "*".to_owned();
    }
    if let Some(grammar) = ["on", "via", "dev", "in"].into_iter().find(|grammar| word.is_word(grammar)) {
        return grammar.to_owned();
    }
    let is_keyword = |piece: &TokenPiece| matches!(piece, TokenPiece::Keyword(_) | TokenPiece::Command(_));
    let mut word = word.clone();
    word.pieces.iter_mut().filter(|piece| is_keyword(piece)).for_each(|piece| *piece = TokenPiece::Star);
    word.to_string()
}

fn ends_host(piece: &TokenPiece) -> bool {
    matches!(piece, TokenPiece::Literal(text) if text.ends_with(':'))
}

/// Returns the text of a driver's file with these lines allowed to the component of this digest.
pub fn allow(text: &str, digest: &ComponentDigest, lines: &[String]) -> String {
    let denied = denials(lines);
    // A `deny` is stronger than any `allow`, so it must go.
    let mut kept: Vec<String> = text.lines().filter(|line| !is_any(line, "deny", &denied)).map(str::to_owned).collect();
    let wanted = format!("digest {digest}");
    match kept.iter().position(|line| first_word(line) == "digest") {
        Some(at) => kept[at] = wanted,
        None => {
            // Below the comments at the top, which usually say what the file is.
            let comments = kept.iter().take_while(|line| line.trim_start().starts_with('#')).count();
            kept.insert(comments, wanted);
        }
    }
    for line in lines {
        if !kept.iter().any(|old| is_any(old, "allow", std::slice::from_ref(line))) {
            kept.push(format!("allow {line}"));
        }
    }
    joined(&kept)
}

/// What a build asks for and the one before did not, as `+ LINE`, and what that one was allowed and this one asks for no more, as
/// `- LINE`.
pub fn changes(text: &str, lines: &[String]) -> Vec<String> {
    let allowed = |line: &String| text.lines().any(|old| is_any(old, "allow", std::slice::from_ref(line)));
    let new = lines.iter().filter(|line| !allowed(line)).map(|line| format!("+ {line}"));
    let of_request =
        text.lines().filter(|old| first_word(old) == "allow" && names_keywords(old) && !is_any(old, "allow", lines));
    let gone = of_request.map(|old| format!("- {}", old.trim().trim_start_matches("allow").trim()));
    new.chain(gone).collect()
}

/// Returns the text without the lines that agreed to what another build asked for and this one does not. What the site wrote itself
/// stays.
pub fn without_stale(text: &str, lines: &[String]) -> String {
    let is_stale = |old: &&str| first_word(old) == "allow" && names_keywords(old) && !is_any(old, "allow", lines);
    let kept: Vec<String> = text.lines().filter(|old| !is_stale(old)).map(str::to_owned).collect();
    joined(&kept)
}

fn names_keywords(line: &str) -> bool {
    line.contains("{kw:") || line.contains("{command:")
}

/// Returns the text of a built-in driver's file with these lines allowed. Such a driver may do all that no line forbids, so
/// `deny` lines are removed; an `allow` is added only where others are, since the first one would narrow the driver to it.
pub fn allow_builtin(text: &str, lines: &[String]) -> String {
    let denied = denials(lines);
    let mut kept: Vec<String> = text.lines().filter(|line| !is_any(line, "deny", &denied)).map(str::to_owned).collect();
    if kept.iter().any(|line| first_word(line) == "allow") {
        let missing = |line: &&String| !text.lines().any(|old| is_any(old, "allow", std::slice::from_ref(*line)));
        kept.extend(lines.iter().filter(missing).map(|line| format!("allow {line}")));
    }
    joined(&kept)
}

/// Returns the text without permission for these lines: an `allow` of the very line is removed, any other line is denied.
pub fn deny(text: &str, lines: &[String]) -> String {
    let mut kept: Vec<String> = text.lines().filter(|line| !is_any(line, "allow", lines)).map(str::to_owned).collect();
    for line in lines {
        let allowed = text.lines().any(|old| is_any(old, "allow", std::slice::from_ref(line)));
        // An `allow` that came off is enough: denying as well would outlast a later change of mind.
        let bare = without_attributes(line);
        if !allowed && !kept.iter().any(|old| is_any(old, "deny", std::slice::from_ref(&bare))) {
            kept.push(format!("deny {bare}"));
        }
    }
    joined(&kept)
}

/// Returns the text that denies a built-in driver all of its requests, which are these lines.
pub fn deny_builtin(text: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| forbidding(line)).collect();
    deny(text, &lines)
}

/// Returns the text without any `allow` and without the digest. Limits and comments stay.
pub fn deny_all(text: &str) -> String {
    let kept: Vec<String> =
        text.lines().filter(|line| !matches!(first_word(line), "allow" | "digest")).map(str::to_owned).collect();
    joined(&kept)
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// Whether the line of a file is `word` and one of these lines, in any spacing.
fn is_any(line: &str, word: &str, lines: &[String]) -> bool {
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    first_word(line) == word && lines.iter().any(|wanted| spaced(line) == spaced(&format!("{word} {wanted}")))
}

/// The line as a `deny` can write it: a `deny` takes no attributes, it forbids in every case.
fn without_attributes(line: &str) -> String {
    match GrantLine::parse(line, 1, LineOrigin::Policy) {
        Ok(read) => {
            format!("{} = {}", read.capability.name, halves(line).1.trim())
        }
        // A line that cannot be read matches no line of a file either.
        Err(_) => line.to_owned(),
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SitePolicy;

    fn digest() -> ComponentDigest {
        format!("sha256:{}", "0".repeat(64)).parse().unwrap()
    }

    #[test]
    fn a_request_is_agreed_to_by_its_own_line() {
        for (request, line) in [
            ("files.write  =  {kw:mnt} ", "files.write = {kw:mnt}"),
            ("exec(read) = /sbin/e2fsck -p -- {kw:dev}", "exec(read) = /sbin/e2fsck -p -- {kw:dev}"),
            ("spawn(caps=all, cwd={kw:cwd}) = {command:start}", "spawn(caps=all, cwd={kw:cwd}) = {command:start}"),
            ("http = GET {kw:url}/x", "http = GET {kw:url}/x"),
        ] {
            let found = request.parse::<GrantRequest>().unwrap().allow_line();
            assert_eq!(found, line);
            assert!(SitePolicy::parse(&format!("allow {line}")).is_ok(), "{line}");
        }
        assert!(SitePolicy::parse("deny files.write = {kw:mnt}").is_err());
        assert!(crate::Policy::parse("allow files.write = {kw:mnt}").is_err());
        assert!(crate::Policy::parse("allow exec = {command:start}").is_err());
    }

    #[test]
    fn a_request_is_denied_whatever_its_keywords_hold() {
        for (request, line) in [
            ("files.write = {kw:mnt}", "files.write = /**"),
            ("files.write = {rundir}/{kw:id}/pid", "files.write = {rundir}/*/pid"),
            ("mount = ext4 {kw:dev} on {kw:mnt}", "mount = ext4 * on /**"),
            ("exec(read) = /sbin/e2fsck -p -- {kw:dev}", "exec(read) = /sbin/e2fsck -p -- *"),
            ("exec = /sbin/mkfs [-L {kw:label}] -- {kw:dev}", "exec = /sbin/mkfs [ -L * ] -- *"),
            ("spawn(caps=all) = {command:start}", "spawn(caps=all) = /** **"),
            ("http = GET {kw:url}", "http = GET https://**/**"),
            ("http = GET https://{kw:host}/api/**", "http = GET https://*/api/**"),
            ("http.unix = GET {kw:socket} /x/{kw:id}", "http.unix = GET /** /x/*"),
            ("net.addr = {kw:name} on {kw:dev}", "net.addr = * on *"),
            ("net.link(read) = {kw:dev}", "net.link(read) = *"),
            ("block.read = *", "block.read = *"),
        ] {
            let found = request.parse::<GrantRequest>().unwrap().wide_line();
            assert_eq!(found, line, "{request}");
            assert!(SitePolicy::parse(&format!("allow {line}")).is_ok(), "{line}");
        }
    }

    #[test]
    fn an_allowed_line_joins_the_file_and_the_rest_stays() {
        let old = "# ours since 2024\n\ndigest sha256:1\nlimit memory 8m\nallow files.read = /a   # why\n\
                   deny exec = /bin/x\n";
        let new = allow(old, &digest(), &["exec = /bin/x".to_owned(), "files.read = /b".to_owned()]);
        let expected = format!(
            "# ours since 2024\n\ndigest {}\nlimit memory 8m\nallow files.read = /a   # why\nallow exec = /bin/x\n\
             allow files.read = /b\n",
            digest()
        );
        assert_eq!(new, expected);
        assert_eq!(allow(&new, &digest(), &["files.read  =  /b".to_owned()]), new);
        assert!(SitePolicy::parse(&new).is_ok());
    }

    #[test]
    fn a_driver_of_the_agents_own_is_not_narrowed_by_being_allowed_something() {
        let line = "exec(caps=all) = /bin/x".to_owned();
        assert_eq!(allow_builtin("# ours\n", std::slice::from_ref(&line)), "# ours\n");
        assert_eq!(allow_builtin("deny exec = /bin/x\n", std::slice::from_ref(&line)), "");
        assert_eq!(
            allow_builtin("allow files.read = /a\n", &[line]),
            "allow files.read = /a\nallow exec(caps=all) = /bin/x\n"
        );
    }

    #[test]
    fn an_allow_is_removed_and_any_other_line_denied() {
        let old = "# ours\nallow exec(caps=all) = /bin/x\nallow files.read = /a\n";
        assert_eq!(deny(old, &["exec(caps=all) = /bin/x".to_owned()]), "# ours\nallow files.read = /a\n");
        assert_eq!(deny("", &["exec(caps=all) = /bin/x".to_owned()]), "deny exec = /bin/x\n");
        assert_eq!(deny_all("# ours\ndigest sha256:1\nallow exec = /x\nlimit cpu 1s\n"), "# ours\nlimit cpu 1s\n");
    }
}
