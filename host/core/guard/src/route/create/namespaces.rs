//! Members of `HostConfig` that choose the namespaces(7) which the container lives in.

use super::host_config::HostConfigJudge;
use crate::case::RequestCase;
use crate::spec::allowed_spec::MODES;
use crate::spec::namespace_mode::NamespaceMode;
use crate::verdict::NotForwarded;

impl HostConfigJudge<'_> {
    /// Judges the namespaces. The forwarded request names another container by its whole id.
    pub(super) fn modes(&mut self, case: &RequestCase<'_>) -> Result<NamespaceMode, NotForwarded> {
        let mut network = NamespaceMode::Default;
        for (keyword, member, kind) in MODES {
            let text = self.fields.text(member)?.unwrap_or_default();
            let asked = NamespaceMode::parse(kind, &text);
            let said = self.spec.modes(member, keyword, kind);
            let written = match said.iter().find(|said| asked.is_within(said)) {
                Some(_) if matches!(asked, NamespaceMode::Host | NamespaceMode::Other(_)) => {
                    self.only_root(member, text.as_str())?;
                    text
                }
                // The engine does not know rids: the driver must name the container.
                Some(_) if matches!(asked, NamespaceMode::Resource(_)) => {
                    return Err(self.not_said(member, text, keyword).into());
                }
                Some(_) => text,
                None => self.joined(case, member, keyword, &text, &said)?,
            };
            if member == "NetworkMode" {
                network = asked;
            }
            if !written.is_empty() {
                self.put(member, written);
            }
        }
        Ok(network)
    }

    /// Judges the namespace of another resource's container.
    fn joined(
        &self,
        case: &RequestCase<'_>,
        member: &str,
        keyword: &'static str,
        text: &str,
        said: &[NamespaceMode],
    ) -> Result<String, NotForwarded> {
        let rid = |mode: &NamespaceMode| match mode {
            NamespaceMode::Resource(rid) => Some(rid.clone()),
            _ => None,
        };
        let rids: Vec<_> = said.iter().filter_map(rid).collect();
        let name = text.strip_prefix("container:").filter(|_| !rids.is_empty());
        let shown = if text.is_empty() { NamespaceMode::Default.to_string() } else { text.to_owned() };
        let name = name.ok_or_else(|| self.not_said(member, shown, keyword))?;
        Ok(format!("container:{}", case.container(name, &rids)?.id))
    }
}
