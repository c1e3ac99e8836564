//! The metadata server: the project, zone and name of an instance, and the token of its service account.

use std::time::Duration;

use serde_json::json;

use crate::gateway::GatewayResponse;

/// The number of the project. Its id is the operator's choice.
const PROJECT_NUMBER: u64 = 123_456_789_012;

/// The service account of every instance.
const ACCOUNT: &str = "123456789012-compute@developer.gserviceaccount.com";

/// The instance that sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The instance.
    pub instance: String,
    /// Its zone.
    pub zone: String,
    /// Its number.
    pub id: String,
}

/// The tokens that are valid.
#[derive(Debug)]
pub struct TokenIssuer {
    /// How long a token is valid.
    pub lifetime: Duration,
    good: Vec<(String, Duration)>,
    given: u64,
}

impl TokenIssuer {
    /// An issuer of tokens that are valid for this long.
    pub fn new(lifetime: Duration) -> TokenIssuer {
        TokenIssuer { lifetime, good: Vec::new(), given: 0 }
    }

    /// How many tokens were issued so far.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// Invalidates all tokens.
    pub fn revoke(&mut self) {
        self.good.clear();
    }

    /// Whether a token is valid.
    pub fn is_good(&self, token: &str, now: Duration) -> bool {
        self.good.iter().any(|(good, end)| good == token && now < *end)
    }

    /// The token and the seconds for which it is valid. As at Google, it is the same one until the last twelfth of its lifetime.
    fn give(&mut self, now: Duration) -> (String, u64) {
        let fresh = |end: &Duration| *end > now + self.lifetime / 12;
        if let Some((token, end)) = self.good.iter().rfind(|(_, end)| fresh(end)) {
            return (token.clone(), (*end - now).as_secs());
        }
        self.given += 1;
        let token = format!("ya29.stand-in-{}", self.given);
        self.good.push((token.clone(), now + self.lifetime));
        (token, self.lifetime.as_secs())
    }
}

/// Answers a request for a path below `/computeMetadata/v1/`.
pub fn answer(
    path: &str,
    project: &str,
    me: &NodeIdentity,
    tokens: &mut TokenIssuer,
    now: Duration,
) -> GatewayResponse {
    let account = path
        .strip_prefix("instance/service-accounts/default")
        .or_else(|| path.strip_prefix("instance/service-accounts/").and_then(|path| path.strip_prefix(ACCOUNT)));
    let text = match (account.map(|path| path.trim_matches('/')), path.trim_end_matches('/')) {
        (Some("token"), _) => {
            let (token, seconds) = tokens.give(now);
            let body = json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"});
            return GatewayResponse::json(200, &body).with_flavor();
        }
        (Some(""), _) => {
            let scopes = ["https://www.googleapis.com/auth/cloud-platform"];
            return GatewayResponse::json(200, &json!({"aliases": ["default"], "email": ACCOUNT, "scopes": scopes}))
                .with_flavor();
        }
        (Some("email"), _) => ACCOUNT.to_owned(),
        (_, "") => "instance/\nproject/\n".to_owned(),
        (_, "instance/name") => me.instance.clone(),
        (_, "instance/id") => me.id.clone(),
        (_, "instance/zone") => format!("projects/{PROJECT_NUMBER}/zones/{}", me.zone),
        (_, "project/project-id") => project.to_owned(),
        (_, "project/numeric-project-id") => PROJECT_NUMBER.to_string(),
        (_, "universe/universe-domain") => "googleapis.com".to_owned(),
        _ => return GatewayResponse::text(404, "not found").with_flavor(),
    };
    GatewayResponse::text(200, &text).with_flavor()
}
