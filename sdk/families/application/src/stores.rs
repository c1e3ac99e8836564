//! Variables out of stores, for whatever has an environment: the keywords that name them. The host resolves them, so that a
//! driver sees `NAME=VALUE` as if it were written there, and never a store.

use hostler_sdk::Keywords;

/// Variables out of stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct StoreVariables {
    /// More variables, out of stores of kind cfg: words `NAME=STORE/KEY`; `STORE/KEY` makes a variable that is called like the
    /// key, in upper case, and `STORE/*` one of each key. A store is of the object's own namespace. Where a name repeats, these
    /// count, not those of `environment`.
    #[keyword(store = "cfg", example = "MODE=web/mode")]
    pub configs_environment: Vec<String>,
    /// More variables, out of stores of kind sec, written as in `configs_environment`. Their values are never shown. Where a
    /// name repeats, these count.
    #[keyword(store = "sec", example = "PASSWORD=db/password")]
    pub secrets_environment: Vec<String>,
}

impl StoreVariables {
    /// All of them, `NAME=VALUE`, the last of a name being the one that counts.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.configs_environment.iter().chain(&self.secrets_environment)
    }
}
