//! Tokens as the daemon makes, lists and revokes them.

use std::sync::{MutexGuard, PoisonError};

use model::RoleGrants;
use protocol::daemon::{TokenDocument, TokenRequest, TokenSummary};
use protocol::{FailureKind, RequestFailure};

use crate::access::Caller;
use crate::access::control::{AccessControl, broken, failure, now};
use crate::access::register::TokenRegister;
use crate::access::token::{TokenClaims, TokenKey, new_id};
use crate::reply::ReplyRefusal;

/// How long a token is good for unless it is asked for otherwise, and at most. Seconds.
const TOKEN_LIFE: u64 = 600;
const TOKEN_LONGEST: u64 = 90 * 24 * 3600;

/// The key of the tokens, and those that were made.
#[derive(Debug)]
pub(super) struct TokenDesk {
    pub(super) key: TokenKey,
    pub(super) register: TokenRegister,
}

impl AccessControl {
    /// Makes a token.
    pub(crate) fn make_token(&self, caller: &Caller, wanted: &TokenRequest) -> Result<TokenDocument, RequestFailure> {
        let user = wanted.user.clone().unwrap_or_else(|| caller.user.clone());
        if user != caller.user && !caller.is_root() {
            return Err(failure(FailureKind::Denied, format!("only root makes tokens of others: you are {caller}")));
        }
        self.grants(&user).map_err(|refusal| refusal.failure)?;
        let mut role = Vec::new();
        for word in &wanted.role {
            let grant: model::RoleGrant =
                word.parse().map_err(|error: model::InvalidGrant| failure(FailureKind::Invalid, error.to_string()))?;
            role.push(grant.to_string());
        }
        let duration = wanted.duration.unwrap_or(TOKEN_LIFE);
        if !(1..=TOKEN_LONGEST).contains(&duration) {
            let message = format!("a token is good for 1 to {TOKEN_LONGEST} s, and not for {duration} s");
            return Err(failure(FailureKind::Invalid, message));
        }
        // A token makes none that could do more, or that lives longer, than itself.
        if role.is_empty() && user == caller.user {
            role = caller.limit.as_ref().map(RoleGrants::words).unwrap_or_default();
        } else if let Some(limit) = caller.limit.as_ref().filter(|limit| !limit.is_root()) {
            let message =
                format!("this token is limited to {}: make the token by another way", limit.words().join(" "));
            return Err(failure(FailureKind::Denied, message));
        }
        let (iat, id) = (now(), new_id().map_err(|error| failure(FailureKind::Failed, error))?);
        let ends_at = (iat + duration).min(caller.ends_at().unwrap_or(u64::MAX));
        let claims = TokenClaims {
            iss: self.node.to_string(),
            sub: user.clone(),
            jti: id.clone(),
            iat,
            exp: ends_at,
            grant: role.clone(),
        };
        let by = caller.user.clone();
        let summary =
            TokenSummary { id: id.clone(), user: user.clone(), role, issued_at: iat, ends_at, by, revoked: false };
        let mut tokens = self.tokens();
        let desk = self.token_desk(&mut tokens).map_err(|refusal| refusal.failure)?;
        // Before it is signed: a token that is not in the list could not be revoked.
        desk.register.add(summary).map_err(|error| failure(FailureKind::Failed, error))?;
        Ok(TokenDocument { token: desk.key.sign(&claims), id, user, ends_at })
    }

    /// The tokens of a user, or all for root.
    pub(crate) fn list_tokens(&self, caller: &Caller) -> Result<Vec<TokenSummary>, RequestFailure> {
        let mut tokens = self.tokens();
        let desk = self.token_desk(&mut tokens).map_err(|refusal| refusal.failure)?;
        let now = now();
        let shown = |token: &&TokenSummary| token.ends_at > now && (caller.is_root() || token.user == caller.user);
        Ok(desk.register.all().iter().filter(shown).cloned().collect())
    }

    /// Revokes a token of the user, or anybody's for root.
    pub(crate) fn revoke_token(&self, caller: &Caller, id: &str) -> Result<(), RequestFailure> {
        let missing = || failure(FailureKind::NoMatch, format!("there is no token {id}: see om daemon auth ls"));
        // A token of another user is answered like one that does not exist.
        if !self.list_tokens(caller)?.iter().any(|token| token.id == id) {
            return Err(missing());
        }
        let mut tokens = self.tokens();
        let desk = self.token_desk(&mut tokens).map_err(|refusal| refusal.failure)?;
        let found = desk.register.revoke(id).map_err(|error| failure(FailureKind::Failed, error))?;
        if found { Ok(()) } else { Err(missing()) }
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Option<TokenDesk>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn token_desk<'a>(&self, tokens: &'a mut Option<TokenDesk>) -> Result<&'a mut TokenDesk, ReplyRefusal> {
        let desk = match tokens.take() {
            Some(desk) => desk,
            None => {
                let directory = self.places.tokens();
                let key = TokenKey::open(&directory.join("key")).map_err(broken)?;
                TokenDesk { key, register: TokenRegister::open(directory.join("issued.jsonl")).map_err(broken)? }
            }
        };
        Ok(tokens.insert(desk))
    }
}
