//! The values of keywords: as they are written, and as a node means them.

use config::{self, Document, KeywordReader, ReadError};
use model::NodeName;
use protocol::{ConfigTarget, EvaluatedKeyword};

use super::change::{ConfigError, parse_key};
use crate::Agent;

/// What references may name beside keywords: a driver says it of its resource.
const EXPOSED: [&str; 2] = ["mnt", "exposed_devs"];

impl Agent {
    /// The value of a keyword as it is written. None if it is not.
    pub fn written_keyword(&self, target: &ConfigTarget, keyword: &str) -> Result<Option<String>, ConfigError> {
        let document = Document::parse(self.config_text(target)?.text);
        let key = self.as_written(target, &document, &parse_key(keyword)?);
        Ok(document.get(&key.section, &key.scoped_option()).map(str::to_owned))
    }

    /// The value of a keyword as this node means it, or another one.
    pub fn evaluated_keyword(
        &self,
        target: &ConfigTarget,
        keyword: &str,
        peer: Option<&NodeName>,
    ) -> Result<EvaluatedKeyword, ConfigError> {
        let document = Document::parse(self.config_text(target)?.text);
        let key = parse_key(keyword)?;
        let evaluated = match target {
            ConfigTarget::Node => config::eval_node(&document, &key)?,
            ConfigTarget::Object(path) => {
                let (node, drivers) = (self.node(), self.drivers());
                let peer = peer.map(|name| node.impersonating(name.clone()));
                KeywordReader::new(path, &document, peer.as_ref().unwrap_or(&*node), &*drivers)
                    .eval(&key, &())
                    .map_err(|error| match error {
                        ReadError::Unknown(key) if EXPOSED.contains(&key.option.as_str()) => ConfigError::Exposed(key),
                        error => error.into(),
                    })?
            }
        };
        Ok(EvaluatedKeyword { kind: evaluated.kind.into(), values: evaluated.values, secret: evaluated.secret })
    }
}
