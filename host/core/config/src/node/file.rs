//! The configuration of a node, node.conf: its problems, and the values of its keywords.

use std::net::IpAddr;

use crate::diagnostic::Diagnostic;
use crate::keyword;
use model::DriverName;
use model::convert::{ConvertError, convert};
use model::keyword::{Keyword, MOST_CALL_MEMORY, ValueKind};
use model::log_target::{JournalTarget, SyslogTarget};
use model::object::{KeywordValue, Provenance};
use model::path::is_name;

use crate::document::text::{Document, Entry, Section};
use crate::nearest::{alternatives, did_you_mean};
use crate::pool::incomplete_pool;
use crate::{ConfigKey, ReadError};

/// Sections that accept any key.
const FREE: [&str; 2] = ["env", "labels"];
/// The prefix of the sections that limit a driver.
const DRIVER: &str = "driver#";
/// The section of the node itself.
const NODE: &str = "node";
/// The prefix of the sections of hooks.
const HOOK: &str = "hook#";

/// The sections with keywords, and which.
fn keywords(section: &str) -> Option<&'static [Keyword]> {
    Some(match section {
        "node" => keyword::node(),
        "compliance" => keyword::compliance(),
        "listener" => keyword::listener(),
        "stats" => keyword::stats(),
        name if name.strip_prefix(keyword::POOL_PREFIX).is_some_and(|name| !name.is_empty()) => keyword::pool(),
        name if name.strip_prefix(HOOK).is_some_and(|name| !name.is_empty()) => keyword::hook(),
        // Only the form of the name is checked: the limits may be written before the driver is installed.
        name => name.strip_prefix(DRIVER)?.parse::<DriverName>().ok().map(|_| keyword::driver())?,
    })
}

/// The problems of the text of `node.conf`, in its order.
pub fn validate_node(text: &str) -> Vec<Diagnostic> {
    let document = Document::parse(text);
    let mut problems = document.problems().to_vec();
    for section in document.sections() {
        match keywords(&section.name) {
            Some(keywords) => {
                problems.extend(section.entries.iter().flat_map(|entry| check(section, keywords, entry)));
                problems.extend(incomplete_hook(&document, section));
                problems.extend(incomplete_pool(&document, section));
            }
            None if FREE.contains(&section.name.as_str()) => {}
            None => problems.push(unknown(section)),
        }
    }
    // The parser's problems were listed first, but the report goes by the place in the text.
    problems.sort();
    problems
}

/// A hook without events or without a command never runs.
fn incomplete_hook(document: &Document, section: &Section) -> Vec<Diagnostic> {
    let needed = if section.name.starts_with(HOOK) { &["events", "command"][..] } else { &[] };
    let missing = needed.iter().filter(|option| document.entry(&section.name, option).is_none());
    let problem = |option: &&str| {
        let message = format!("[{}] has no {option}", section.name);
        Diagnostic::error(section.name_span, message, "expected the keywords events and command")
    };
    missing.map(problem).collect()
}

fn unknown(section: &Section) -> Diagnostic {
    let name = &section.name;
    if name.starts_with(DRIVER) {
        let message = format!("[{name}] names no driver");
        return Diagnostic::error(section.name_span, message, "expected driver#<group>.<name>, such as driver#fs.ext4");
    }
    let known = ["node", "compliance", "listener", "stats"].into_iter().chain(FREE);
    let expected =
        "expected node, env, labels, listener, compliance, stats, pool#<name>, hook#<name> or driver#<group>.<name>";
    let label = did_you_mean(name, known, expected);
    Diagnostic::error(section.name_span, format!("unknown section [{name}]"), label)
}

fn check(section: &Section, keywords: &'static [Keyword], entry: &Entry) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let key = ConfigKey::new(&section.name, entry.option());
    let Some(keyword) = named(keywords, entry.option()) else {
        let names = keywords.iter().map(|keyword| keyword.name.as_str());
        let label = did_you_mean(entry.option(), names, "no such keyword here");
        let message = format!("unknown keyword {key}");
        // OpenSVC has many more keywords, and ignoring one of them is harmless, so this is a warning. Ignoring a limit is not
        // harmless.
        let tell = if section.name.starts_with(DRIVER) { Diagnostic::error } else { Diagnostic::warning };
        return vec![tell(entry.key_span, message, label)];
    };
    if keyword.name != entry.option() {
        let message = format!("{key} is an old name");
        problems.push(Diagnostic::warning(entry.key_span, message, format!("now called {}", keyword.name)));
    }
    let key = ConfigKey::new(&section.name, &keyword.name);
    if let Some(span) = entry.scope_span() {
        problems.push(Diagnostic::error(span, format!("{key} cannot be scoped"), "expected no @ here"));
    }
    if let Err(ConvertError { kind, expected }) = converted(&section.name, keyword, &entry.value) {
        problems.push(Diagnostic::error(
            entry.value_span,
            format!("{key} is not {kind}"),
            format!("expected {expected}"),
        ));
    }
    problems
}

fn named(keywords: &'static [Keyword], option: &str) -> Option<&'static Keyword> {
    keywords.iter().find(|keyword| keyword.name == option || keyword.aliases.iter().any(|alias| alias == option))
}

fn converted(section: &str, keyword: &Keyword, text: &str) -> Result<Vec<String>, ConvertError> {
    if !keyword.candidates.is_empty() && !keyword.candidates.iter().any(|candidate| candidate == text) {
        return Err(ConvertError { kind: "a value it may have", expected: alternatives(&keyword.candidates) });
    }
    let values = convert(keyword.kind, text)?;
    if section == NODE {
        check_log_target(&keyword.name, text)?;
    }
    if section == "listener" {
        check_listener(&keyword.name, &values)?;
    }
    // A limit of 0 would stop the driver at its first instruction.
    if section.starts_with(DRIVER) && values == ["0"] {
        return Err(ConvertError { kind: "a limit", expected: "more than nothing".to_owned() });
    }
    let is_too_large = |bytes: &String| bytes.parse().is_ok_and(|bytes: u64| bytes > MOST_CALL_MEMORY);
    if section.starts_with(DRIVER) && keyword.name == "memory" && values.iter().any(is_too_large) {
        let expected = format!("at most {}m, which is all that a call can have", MOST_CALL_MEMORY >> 20);
        return Err(ConvertError { kind: "a limit", expected });
    }
    Ok(values)
}

/// Where logs go has a syntax of its own.
fn check_log_target(keyword: &str, text: &str) -> Result<(), ConvertError> {
    let wrong =
        |kind, expected: String| ConvertError { kind, expected: expected.trim_start_matches("expected ").to_owned() };
    match keyword {
        "journald" => text.parse::<JournalTarget>().map(drop).map_err(|error| wrong("a journal", error.to_string())),
        "syslog" => text.parse::<SyslogTarget>().map(drop).map_err(|error| wrong("a syslog", error.to_string())),
        _ => Ok(()),
    }
}

/// Whether the value of this entry of `node.conf` must not be shown.
pub fn is_secret_of_node(section: &Section, entry: &Entry) -> bool {
    let known = keywords(&section.name).and_then(|keywords| named(keywords, entry.option()));
    // A keyword that is known says itself whether it is secret: the reservation key is not.
    known.map_or_else(|| model::is_secret_name(entry.option()), |keyword| keyword.secret)
}

/// The daemon listens on addresses, and its certificate names what clients can call.
fn check_listener(option: &str, values: &[String]) -> Result<(), ConvertError> {
    let is_address = |text: &String| text.parse::<IpAddr>().is_ok();
    let (fits, kind, expected) = match option {
        "addr" => (values.iter().all(is_address), "a list of addresses", "IP addresses, such as 10.0.0.1"),
        "alt_names" => {
            let fits = values.iter().all(|text| is_address(text) || is_name(&text.to_ascii_lowercase()));
            (fits, "a list of names", "names and IP addresses, such as n1.example.com")
        }
        "port" => {
            let fits = values.iter().all(|text| text.parse::<u16>().is_ok_and(|port| port > 0));
            (fits, "a port", "a number from 1 to 65535")
        }
        _ => (values.iter().all(|text| text.parse::<u32>().is_ok()), "a limit", "a number, such as 20"),
    };
    if fits { Ok(()) } else { Err(ConvertError { kind, expected: expected.to_owned() }) }
}

/// The value of a keyword of `node.conf`: default filled in, in canonical form.
pub fn eval_node(document: &Document, key: &ConfigKey) -> Result<KeywordValue, ReadError> {
    let written = document.entry(&key.section, &key.scoped_option());
    // Sections without a table, such as env and labels, hold plain texts: no defaults and no conversion.
    let Some(keywords) = keywords(&key.section) else {
        let text = written.map(|entry| entry.value.clone()).ok_or_else(|| ReadError::Unset(key.clone()))?;
        return Ok(KeywordValue {
            name: key.option.clone(),
            kind: ValueKind::String,
            values: vec![text],
            secret: false,
            store: None,
            provenance: Provenance::Written { line: written.map_or(0, |entry| entry.line) },
        });
    };
    let keyword = named(keywords, &key.option).ok_or_else(|| ReadError::Unknown(key.clone()))?;
    let spellings = std::iter::once(&keyword.name).chain(&keyword.aliases);
    // The present name is tried first, so it wins over an old one.
    let written = spellings.filter_map(|name| document.entry(&key.section, name)).next();
    let text = written.map(|entry| entry.value.as_str()).or(keyword.default.as_deref());
    let text = text.ok_or_else(|| ReadError::Unset(key.clone()))?;
    let values = converted(&key.section, keyword, text).map_err(|error| {
        // A default has no place in the text.
        let span = written.map(|entry| entry.value_span).unwrap_or_default();
        ReadError::Invalid(Diagnostic::error(span, format!("{key} is not {}", error.kind), error.to_string()))
    })?;
    Ok(KeywordValue {
        name: keyword.name.clone(),
        kind: keyword.kind,
        values,
        secret: keyword.secret,
        store: None,
        provenance: written.map_or(Provenance::BuiltInDefault, |entry| Provenance::Written { line: entry.line }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_reported_at_their_position() {
        let check = |text: &str, expected: &[&str]| {
            let found = validate_node(text);
            let found: Vec<String> = found.iter().map(|one| format!("{} {one}", one.position(text))).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("", &[]);
        check("[node]\nenv = PRD\nlog_max_size = 5m\n[labels]\naz = fr1\n[env]\nA = 1\n", &[]);
        check("[stats]\nschedule = @60\n[compliance]\nauto_update = true\nschedule = @1440\n", &[]);
        check("[driver#fs.ext4]\nmemory = 64m\ncpu = 2s\nwall = 10m\noutput = 1m\n", &[]);
        check(
            "[driver#fs.ext4]\nmemory = 100m\n",
            &["2:10 driver#fs.ext4.memory is not a limit: expected at most 64m, which is all that a call can have"],
        );
        check(
            "[driver#fs.ext4]\nlimit = 1\nmemory = much\ncpu = 0\n",
            &[
                "2:1 unknown keyword driver#fs.ext4.limit: no such keyword here",
                "3:10 driver#fs.ext4.memory is not a size: expected a number with an optional unit, such as 512m or 20g",
                "4:7 driver#fs.ext4.cpu is not a limit: expected more than nothing",
            ],
        );
        check("[hook#mail]\nevents = order.end\ncommand = /bin/mail ops\ntimeout = 5s\n", &[]);
        check(
            "[hook#mail]\nevents = order.end\n",
            &["1:2 [hook#mail] has no command: expected the keywords events and command"],
        );
        check(
            "[driver#ext4]\n",
            &["1:2 [driver#ext4] names no driver: expected driver#<group>.<name>, such as driver#fs.ext4"],
        );
        check(
            "[compliance]\nauto_update = maybe\n",
            &["2:15 compliance.auto_update is not a boolean: expected true or false"],
        );
        check("[node]\nhost_mode = PRD\n", &["2:1 node.host_mode is an old name: now called env"]);
        check("[node]\nmax_paralel = 1\n", &["2:1 unknown keyword node.max_paralel: did you mean max_parallel?"]);
        check(
            "[node]\nmax_parallel = many\n",
            &["2:16 node.max_parallel is not an integer: expected a decimal integer, such as 3"],
        );
        check(
            "[node]\nsyslog = logs.example.com\njournald = maybe\n",
            &[
                "2:10 node.syslog is not a syslog: expected true, false, the path of a socket, udp://HOST[:PORT] or tcp://HOST[:PORT]",
                "3:12 node.journald is not a journal: expected true, false or the path of a socket",
            ],
        );
        check("[node]\nenv@n1 = PRD\n", &["2:5 node.env cannot be scoped: expected no @ here"]);
        check(
            "[listener]\naddr = n1\nport = 70000\nalt_names = n1.example.com ::1\nrate_limiter_rate = -1\n",
            &[
                "2:8 listener.addr is not a list of addresses: expected IP addresses, such as 10.0.0.1",
                "3:8 listener.port is not a port: expected a number from 1 to 65535",
                "5:21 listener.rate_limiter_rate is not a limit: expected a number, such as 20",
            ],
        );
        check("[pool#p]\ntype = vg\nname = vg0\n[pool#q]\ntype = virtual\ntemplate = t/vol/a\n", &[]);
        check(
            "[pool#a]\n[pool#b]\ntype = loop\n[pool#c]\ntype = zpool\n[pool#d]\ntype = virtual\ntemplate = web\n",
            &[
                "1:2 [pool#a] has no type: expected type = directory, shm, loop, vg, drbd or virtual",
                "2:2 [pool#b] has no path: a pool of type loop needs path",
                "5:8 pool#c.type is not a value it may have: expected directory, shm, loop, vg, drbd or virtual",
                "8:12 web is an object of kind svc: expected the path of a vol, such as templates/vol/small",
            ],
        );
        check("[nod]\n", &["1:2 unknown section [nod]: did you mean node?"]);
    }

    #[test]
    fn keywords_have_their_defaults_and_old_names() {
        let eval = |text: &str, key: &str| {
            let evaluated = eval_node(&Document::parse(text), &key.parse().unwrap());
            evaluated.map(|evaluated| evaluated.values.join(" ")).map_err(|error| error.to_string())
        };
        assert_eq!(eval("", "node.syslog").as_deref(), Ok("false"));
        assert_eq!(eval("[node]\nhost_mode = PRD\n", "node.env").as_deref(), Ok("PRD"));
        assert_eq!(eval("[node]\nlog_max_size = 1k\n", "node.log_max_size").as_deref(), Ok("1024"));
        assert_eq!(eval("[labels]\naz = fr1\n", "labels.az").as_deref(), Ok("fr1"));
        assert_eq!(eval("", "compliance.auto_update").as_deref(), Ok("false"));
        assert_eq!(eval("[driver#fs.ext4]\nwall = 1m\n", "driver#fs.ext4.wall").as_deref(), Ok("60000"));
        assert_eq!(eval("", "driver#fs.ext4.wall"), Err("driver#fs.ext4.wall is not set".to_owned()));
        assert_eq!(eval("", "node.prkey"), Err("node.prkey is not set".to_owned()));
        assert_eq!(eval("", "node.colour"), Err("there is no keyword node.colour".to_owned()));
    }
}
