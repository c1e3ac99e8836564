//! The circumstances of an operation, and the operations that the tests ask for.

use std::path::PathBuf;

use hostler_grant as grant;
use hostler_grant::op::*;
use hostler_grant::{
    Access, ComponentDigest, DriverTrust, GrantContext, GrantKeyword, GrantRequest, Grants, Operation, Policy,
    SitePolicy,
};

/// The circumstances of an operation. Each test starts from [`Default`] and changes what differs.
pub(crate) struct Case<'a> {
    pub(crate) requests: &'a [&'a str],
    pub(crate) keywords: &'a [(&'a str, &'a [&'a str])],
    pub(crate) site: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) limit: Access,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Case { requests: &[], keywords: &[], site: None, namespace: None, limit: Access::Mutate }
    }
}

pub(crate) fn context() -> GrantContext {
    GrantContext {
        object: "web".parse().unwrap(),
        rid: "fs#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/var/lib/hostler/run/web".into(),
        statedir: "/var/lib/hostler/state/web".into(),
        config: "/etc/web.conf".into(),
        peers: Vec::new(),
    }
}

impl Case<'_> {
    pub(crate) fn bind(&self) -> Result<Grants, String> {
        let requests: Vec<GrantRequest> = self.requests.iter().map(|line| line.parse().unwrap()).collect();
        let values: Vec<(&str, Vec<String>)> = self
            .keywords
            .iter()
            .map(|(name, values)| (*name, values.iter().map(ToString::to_string).collect()))
            .collect();
        let keywords: Vec<GrantKeyword<'_>> =
            values.iter().map(|(name, values)| GrantKeyword::written(name, values)).collect();
        let digest: ComponentDigest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let site = self.site.map(|text| SitePolicy::parse(text).unwrap());
        let site = SitePolicy::resolve(site, DriverTrust::BuiltIn, &digest);
        let namespace = self.namespace.map_or(Policy::everything(), |text| Policy::parse(text).unwrap());
        Grants::bind(&requests, &context(), &keywords, &grant::NoDeviceLedger, &site, &namespace)
            .map_err(|error| error.to_string())
    }

    pub(crate) fn judge(&self, op: impl Operation) -> String {
        let grants = self.bind().unwrap_or_else(|error| panic!("{:?}: {error}", self.requests));
        match grants.permit(op, self.limit) {
            Ok(permit) => permit.line(),
            Err(denied) => format!("no: {denied}"),
        }
    }

    #[track_caller]
    pub(crate) fn check(&self, op: impl Operation, expected: &str) {
        assert_eq!(self.judge(op), expected, "requests {:?}", self.requests);
    }
}

pub(crate) fn read(path: &str) -> ReadPath {
    ReadPath { path: path.into() }
}

pub(crate) fn write(path: &str) -> WritePath {
    WritePath { path: path.into() }
}

pub(crate) fn mount(fstype: &str, source: &str, target: &str, options: &[&str]) -> MountFilesystem {
    MountFilesystem {
        fstype: fstype.to_owned(),
        source: source.to_owned(),
        target: target.into(),
        options: options.iter().map(|option| option_of(option)).collect(),
        freedom: MountFreedom::Full,
        binds_file: false,
    }
}

fn option_of(text: &str) -> MountOption {
    match text.split_once('=') {
        Some((name, value)) => MountOption { name: name.to_owned(), value: Some(value.to_owned()) },
        None => MountOption::flag(text),
    }
}

pub(crate) fn exec(line: &str) -> RunProgram {
    let mut words = line.split(' ').map(str::to_owned);
    RunProgram { program: PathBuf::from(words.next().unwrap()), args: words.collect(), ..RunProgram::default() }
}

pub(crate) fn spawn(line: &str) -> StartProgram {
    let RunProgram { program, args, terms } = exec(line);
    StartProgram { program, args, terms }
}

pub(crate) fn address(address: &str, dev: &str) -> ChangeAddress {
    ChangeAddress { dev: dev.to_owned(), address: address.parse().unwrap() }
}

pub(crate) fn get(url: &str) -> FetchUrl {
    FetchUrl { method: "GET".to_owned(), url: url.to_owned() }
}

pub(crate) const NOT_ASKED: &str = "the driver did not ask for it";
pub(crate) const SITE: &str = "the site's policy for this driver does not allow it";
pub(crate) const NAMESPACE: &str = "the policy of the namespace does not allow it";
