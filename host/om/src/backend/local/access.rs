//! What the API of the daemon asks of this node: `[listener]` of `node.conf`, and the users.

use agent::edit::ConfigError;
use agent::{Agent, ObjectFiles, chain};
use api::{AccessSource, ListenerSettings};
use config::ReadError;
use model::{ObjectKind, ObjectPath};
use protocol::daemon::{JoinGrant, JoinRequest, SeatGrant, SeatRequest};
use protocol::{ConfigTarget, RequestFailure};

use super::cluster::{self, place_of};

/// The configurations of this node, as the API reads them.
pub(super) struct LocalAccess(pub(super) Agent);

/// The namespaces whose `usr` objects are users: the root namespace, and the one that OpenSVC has them in. Others may be in the
/// hands of who administers them, and could name themselves root.
const OF_USERS: [&str; 2] = ["root", "system"];

impl LocalAccess {
    /// The values of a keyword. None: it is not written, and has no default.
    fn values(&self, target: &ConfigTarget, keyword: &str) -> Result<Option<Vec<String>>, String> {
        match self.0.evaluated_keyword(target, keyword, None) {
            Ok(evaluated) => Ok(Some(evaluated.values)),
            Err(ConfigError::Read(ReadError::Unset(_))) => Ok(None),
            Err(error) => Err(chain(&error)),
        }
    }

    fn of_node<T: std::str::FromStr>(&self, keyword: &str) -> Result<Vec<T>, String> {
        let values = self.values(&ConfigTarget::Node, keyword)?.unwrap_or_default();
        let read = |value: &String| value.parse().map_err(|_| format!("{keyword}: cannot use {value:?}"));
        values.iter().map(read).collect()
    }
}

impl AccessSource for LocalAccess {
    fn listener(&self) -> Result<ListenerSettings, String> {
        let default = ListenerSettings::default();
        let number = |keyword: &str| Ok::<Option<u32>, String>(self.of_node(keyword)?.first().copied());
        let mut addresses: Vec<std::net::IpAddr> = self.of_node("listener.addr")?;
        let mut port = self.of_node("listener.port")?.first().copied();
        // Nodes of a cluster reach each other, and those that join reach them.
        if let Some(seat) = place_of(&self.0).seat().map_err(|error| chain(&error))? {
            if !addresses.iter().any(|address| *address == seat.address || address.is_unspecified()) {
                addresses.push(seat.address);
            }
            port = port.or(Some(seat.api_port));
        }
        Ok(ListenerSettings {
            addresses,
            port: port.unwrap_or(default.port),
            names: self.of_node("listener.alt_names")?,
            rate: number("listener.rate_limiter_rate")?.unwrap_or(default.rate),
            burst: number("listener.rate_limiter_burst")?.unwrap_or(default.burst),
        })
    }

    fn user(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        let path = |namespace| ObjectPath::new(namespace, ObjectKind::Usr, name).ok();
        let files = ObjectFiles::of(self.0.home());
        let mut found = OF_USERS.into_iter().filter_map(path).filter(|path| files.exists(path));
        let (Some(user), other) = (found.next(), found.next()) else { return Ok(None) };
        if let Some(other) = other {
            return Err(format!("{user} and {other} are both the user {name}: delete one of them"));
        }
        Ok(Some(self.values(&ConfigTarget::Object(user), "grant")?.unwrap_or_default()))
    }

    fn admit(&self, token: &str, request: &JoinRequest) -> Result<JoinGrant, RequestFailure> {
        cluster::admit(&self.0, token, request)
    }

    fn seat(&self, token: &str, request: &SeatRequest) -> Result<SeatGrant, RequestFailure> {
        cluster::seat(&self.0, token, request)
    }
}
