//! From a line to its rules: every template filled in, every list spread out.

use crate::bind::{As, Binder, Unbound};
use crate::glob::{Glob, PathGlob};
use crate::line::Line;
use crate::net::{Addresses, Destinations, Side};
use crate::netns::Namespaces;
use crate::rule::{Pattern, Rule, Source};
use crate::template::{Template, check_path};
use crate::token::Token;
use crate::web::RequestPaths;

impl Line {
    /// The rules that the line stands for: none if it names a keyword that is absent, several if it names a list or `{peer}`.
    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<Vec<Rule>, Unbound> {
        if !self.is_about_peers() {
            return self.bind_one(binder);
        }
        let rules = binder.context.peers.iter().map(|peer| self.bind_one(&binder.about(peer)));
        Ok(rules.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn bind_one(&self, binder: &Binder<'_>) -> Result<Vec<Rule>, Unbound> {
        let user = self.attributes.user.as_ref().map(|user| single(user, binder)).transpose()?;
        let (patterns, inert) = match &self.template {
            Template::Mount { fstype, source, target } => {
                let targets = binder.paths(target)?;
                // Whoever chose the mount point also chooses what is unmounted.
                let inert = binder.is_stranger();
                (mounts(&single(fstype, binder)?, &sources(source, binder)?, &targets), inert)
            }
            template => (patterns(template, self.side, binder)?, false),
        };
        let stranger = binder.take_stranger();
        let rule = |pattern| Rule {
            capability: self.capability,
            read: self.attributes.read,
            caps: self.attributes.caps.clone(),
            user: user.clone(),
            guard: self.attributes.guard,
            root_equivalent: self.attributes.root_equivalent,
            side: self.side,
            pattern,
            stranger: stranger.clone(),
            inert,
        };
        Ok(patterns.into_iter().map(rule).collect())
    }
}

/// Every source on every target.
fn mounts(fstype: &Glob, sources: &[Source], targets: &[PathGlob]) -> Vec<Pattern> {
    let mount = |source: &Source, target: &PathGlob| Pattern::Mount {
        fstype: fstype.clone(),
        source: source.clone(),
        target: target.clone(),
    };
    targets.iter().flat_map(|target| sources.iter().map(move |source| mount(source, target))).collect()
}

/// A word that may not be a list.
fn single(token: &Token, binder: &Binder<'_>) -> Result<Glob, Unbound> {
    match &binder.words(token, As::Word)?[..] {
        [word] => Ok(word.clone()),
        _ => Err(binder.illegal("the line", binder.line, "a list cannot stand here")),
    }
}

fn sources(token: &Token, binder: &Binder<'_>) -> Result<Vec<Source>, Unbound> {
    let absolute = token.literal().is_some_and(|text| text.starts_with('/')) || token.pieces.len() > 1;
    if absolute && check_path(token).is_ok() {
        return Ok(binder.paths(token)?.into_iter().map(Source::Path).collect());
    }
    let source = |word: Glob| match word.literal() {
        Some(path) if path.starts_with('/') => match PathGlob::new(word.0, false) {
            Ok(path) => Ok(Source::Path(path)),
            Err(reason) => Err(binder.illegal("the line", &path, reason)),
        },
        _ if word.is_any() => Ok(Source::Any),
        _ => Ok(Source::Word(word)),
    };
    binder.words(token, As::Source)?.into_iter().map(source).collect()
}

/// A network namespace that is one word: no list.
fn namespace(token: &Token, binder: &Binder<'_>) -> Result<Namespaces, Unbound> {
    let keyword = token.keywords().next().unwrap_or("the line");
    let [word] = <[Source; 1]>::try_from(sources(token, binder)?)
        .map_err(|_| binder.illegal(keyword, binder.line, "a list cannot stand here"))?;
    let text = word.to_string();
    Namespaces::new(word).map_err(|reason| binder.illegal(keyword, &text, reason))
}

fn all_addresses(token: &Token, side: Side, binder: &Binder<'_>) -> Result<Vec<Addresses>, Unbound> {
    let addresses = |word: Glob| Addresses::new(&word, side).map_err(|reason| misfit(binder, token, &word, reason));
    binder.words(token, As::Text)?.into_iter().map(addresses).collect()
}

fn all_destinations(token: &Token, side: Side, binder: &Binder<'_>) -> Result<Vec<Destinations>, Unbound> {
    let destinations =
        |word: Glob| Destinations::new(&word, side).map_err(|reason| misfit(binder, token, &word, reason));
    binder.words(token, As::Text)?.into_iter().map(destinations).collect()
}

/// The router and the interface of a route.
fn way(
    gateway: Option<&Token>,
    dev: Option<&Token>,
    side: Side,
    binder: &Binder<'_>,
) -> Result<(Option<Addresses>, Option<Glob>), Unbound> {
    let dev = dev.map(|dev| single(dev, binder)).transpose()?;
    Ok((gateway.map(|gateway| router(gateway, side, binder)).transpose()?, dev))
}

fn router(token: &Token, side: Side, binder: &Binder<'_>) -> Result<Addresses, Unbound> {
    let word = single(token, binder)?;
    Addresses::new(&word, side).map_err(|reason| misfit(binder, token, &word, reason))
}

/// The error of a word that is not what its place asks for.
fn misfit(binder: &Binder<'_>, token: &Token, word: &Glob, reason: &'static str) -> Unbound {
    let keyword = token.keywords().next().unwrap_or("the line");
    binder.illegal(keyword, &word.literal().unwrap_or_else(|| word.to_string()), reason)
}

fn patterns(template: &Template, side: Side, binder: &Binder<'_>) -> Result<Vec<Pattern>, Unbound> {
    Ok(match template {
        Template::Path(token) => binder.paths(token)?.into_iter().map(Pattern::Path).collect(),
        Template::Device(token) => sources(token, binder)?.into_iter().map(Pattern::Device).collect(),
        Template::Link(token) => binder.words(token, As::Word)?.into_iter().map(Pattern::Link).collect(),
        Template::Mount { .. } => Vec::new(),
        Template::Address { address, dev } => {
            let dev = single(dev, binder)?;
            let pattern = |addresses| Pattern::Address { addresses, dev: dev.clone() };
            all_addresses(address, side, binder)?.into_iter().map(pattern).collect()
        }
        Template::Route { destination, gateway, dev } => {
            let (gateway, dev) = way(gateway.as_ref(), dev.as_ref(), side, binder)?;
            let pattern = |destinations| Pattern::Route { destinations, gateway: gateway.clone(), dev: dev.clone() };
            all_destinations(destination, side, binder)?.into_iter().map(pattern).collect()
        }
        Template::Netns(netns) => vec![Pattern::Netns(namespace(netns, binder)?)],
        Template::NetnsLink { mode, dev, netns } => vec![Pattern::NetnsLink {
            mode: single(mode, binder)?,
            dev: single(dev, binder)?,
            netns: namespace(netns, binder)?,
        }],
        Template::NetnsAddress { address, netns } => {
            let netns = namespace(netns, binder)?;
            let pattern = |addresses| Pattern::NetnsAddress { addresses, netns: netns.clone() };
            all_addresses(address, side, binder)?.into_iter().map(pattern).collect()
        }
        Template::NetnsRoute { destination, gateway, dev, netns } => {
            let (gateway, dev) = way(gateway.as_ref(), dev.as_ref(), side, binder)?;
            let netns = namespace(netns, binder)?;
            let pattern = |destinations| Pattern::NetnsRoute {
                destinations,
                gateway: gateway.clone(),
                dev: dev.clone(),
                netns: netns.clone(),
            };
            all_destinations(destination, side, binder)?.into_iter().map(pattern).collect()
        }
        Template::Command(command) => command.bind(binder)?.into_iter().map(Pattern::Command).collect(),
        Template::Url { methods, url, .. } => {
            vec![Pattern::Url { methods: methods.clone(), urls: url.bind(binder)? }]
        }
        Template::Unix { methods, socket, path } => {
            let paths = RequestPaths::bind(&path.pieces, binder)?;
            let unix = |socket| Pattern::Unix { methods: methods.clone(), socket, paths: paths.clone() };
            binder.paths(socket)?.into_iter().map(unix).collect()
        }
    })
}
