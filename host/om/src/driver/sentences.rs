//! The grants that a driver asks for, as sentences in columns.

use protocol::GrantDocument;

/// `  attach a loop device to   {kw:file}`, with a mark if the grant is as good as being root. Requests that are not grants
/// come last.
pub(super) fn text(grants: &[GrantDocument], malformed: &[String]) -> String {
    let width = grants.iter().map(|grant| grant.verb.len()).max().unwrap_or(0);
    let sentences = grants.iter().map(|grant| format!("  {:<width$}   {}{}\n", grant.verb, grant.object, root(grant)));
    sentences.chain(malformed.iter().map(|error| format!("  {error}\n"))).collect()
}

/// The mark of a grant that is as good as being root.
pub(super) fn root(grant: &GrantDocument) -> String {
    grant.root_equivalent.as_ref().map(|why| format!("   root-equivalent: {why}")).unwrap_or_default()
}
