//! The keywords that take environment variables from data stores. The host resolves them: a driver receives `NAME=VALUE` as
//! if it were written in the section, and never sees a data store.

use hostler_sdk::Keywords;

/// Environment variables from data stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct StoreVariables {
    /// More environment variables, from data stores of kind cfg. Each word is `NAME=STORE/KEY`; `STORE/KEY` makes a variable
    /// named after the key, in upper case, and `STORE/*` makes one for each key. The store must be in the object's namespace.
    /// They override variables of the same name in `environment`.
    #[keyword(store = "cfg", example = "MODE=web/mode")]
    pub configs_environment: Vec<String>,
    /// More environment variables, from data stores of kind sec, written as in `configs_environment`. Their values are never
    /// shown. They override all other variables of the same name.
    #[keyword(store = "sec", example = "PASSWORD=db/password")]
    pub secrets_environment: Vec<String>,
}

impl StoreVariables {
    /// All variables, `NAME=VALUE`. If a name occurs several times, the last one counts.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.configs_environment.iter().chain(&self.secrets_environment)
    }
}
