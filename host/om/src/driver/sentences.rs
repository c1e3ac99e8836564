//! What a driver asks for, as sentences in columns.

use grant::{GrantRequest, GrantSentence};

/// The requests of a manifest in words. A line that is no grant is told as what it is.
pub(super) fn of(requests: &[String]) -> Vec<Result<GrantSentence, String>> {
    requests
        .iter()
        .map(|line| line.parse::<GrantRequest>().map(|request| request.sentence()).map_err(|error| error.to_string()))
        .collect()
}

/// `  attach a loop device to   {kw:file}`, with what amounts to root said so.
pub(super) fn text(sentences: &[Result<GrantSentence, String>], before: &str) -> String {
    let verbs = sentences.iter().flatten().map(|sentence| sentence.verb.len());
    let width = verbs.max().unwrap_or(0);
    let mut text = String::new();
    for sentence in sentences {
        match sentence {
            Ok(sentence) => {
                text += &format!("  {before}{:<width$}   {}{}\n", sentence.verb, sentence.object, root(sentence));
            }
            Err(error) => text += &format!("  {before}{error}\n"),
        }
    }
    text
}

pub(super) fn root(sentence: &GrantSentence) -> String {
    sentence.root_equivalent.map(|why| format!("   root-equivalent: {why}")).unwrap_or_default()
}
