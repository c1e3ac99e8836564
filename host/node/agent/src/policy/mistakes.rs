//! What is wrong with a manifest: found before its driver is allowed anything, and not at the first call.

use driver::Manifest;
use grant::{DriverTrust, GrantRequest};
use model::convert::convert;
use model::keyword::Keyword;

/// Every mistake of a manifest, a sentence each.
pub(super) fn mistakes(manifest: &Manifest, trust: DriverTrust) -> Vec<String> {
    let requests = manifest.grants.iter().flat_map(|line| of_request(manifest, line));
    requests.chain(manifest.keywords.iter().flat_map(|keyword| of_keyword(keyword, trust))).collect()
}

fn of_request(manifest: &Manifest, line: &str) -> Vec<String> {
    let request = match line.parse::<GrantRequest>() {
        Ok(request) => request,
        Err(error) => return vec![error.to_string()],
    };
    let is_unknown = |name: &String| !manifest.keywords.iter().any(|keyword| keyword.name == *name);
    let unknown = request.keywords().into_iter().filter(is_unknown);
    unknown.map(|name| format!("its grant {line:?} names {name:?}, which is not one of its keywords")).collect()
}

fn of_keyword(keyword: &Keyword, trust: DriverTrust) -> Vec<String> {
    let Keyword { name, default, .. } = keyword;
    let mut mistakes = Vec::new();
    let is_foreign = trust == DriverTrust::ThirdParty;
    if is_foreign && config::is_of_core(name) {
        mistakes.push(format!("its keyword {name} is one that every resource has"));
    }
    let Some(text) = default else { return mistakes };
    let refers = text.contains(['{', '$']);
    if is_foreign && refers {
        mistakes.push(format!(
            "the default of its keyword {name}, {text:?}, refers to something: write it in the configuration"
        ));
    }
    if is_foreign && keyword.store.is_some() {
        mistakes.push(format!("its keyword {name} names keys of a data store by default: only a configuration may"));
    }
    // What it refers to is known only within an object: the value cannot be judged here.
    if refers {
        return mistakes;
    }
    match convert(keyword.kind, text) {
        Err(error) => {
            mistakes.push(format!("the default of its keyword {name}, {text:?}, is not {}: {error}", error.kind))
        }
        Ok(values)
            if !values.iter().all(|value| keyword.candidates.is_empty() || keyword.candidates.contains(value)) =>
        {
            let expected = keyword.candidates.join(", ");
            mistakes.push(format!("the default of its keyword {name}, {text:?}, is not one of its values: {expected}"));
        }
        Ok(_) => {}
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use model::keyword::ValueKind;

    use super::*;

    fn check(change: impl FnOnce(&mut Manifest), expected: Option<&str>) {
        let json =
            r#"{"contract":"0.1","group":"app","name":"x","version":"1","keywords":[{"name":"url","kind":"string"}]}"#;
        let mut manifest = Manifest::parse(json.as_bytes()).unwrap();
        change(&mut manifest);
        let found = mistakes(&manifest, DriverTrust::ThirdParty);
        match expected {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(part) => assert!(found.len() == 1 && found[0].contains(part), "{found:?}"),
        }
    }

    #[test]
    fn a_manifest_that_cannot_work_is_known_by_its_text() {
        let keyword = |name: &str, kind, default: &str| Keyword::new(name, kind, "").or(default);
        check(|manifest| manifest.grants = vec!["http = POST {kw:url}/tickets".to_owned()], None);
        check(
            |manifest| manifest.grants = vec!["http = POST {kw:uri}/tickets".to_owned()],
            Some("names \"uri\", which is not one of its keywords"),
        );
        check(|manifest| manifest.grants = vec!["fly = /x".to_owned()], Some("unknown capability"));
        check(
            |manifest| manifest.keywords.push(keyword("wait", ValueKind::Duration, "1x")),
            Some("the default of its keyword wait"),
        );
        check(|manifest| manifest.keywords.push(keyword("wait", ValueKind::Duration, "1s")), None);
        check(
            |manifest| manifest.keywords.push(keyword("peek", ValueKind::String, "{app#1.secret}")),
            Some("refers to something"),
        );
        check(
            |manifest| manifest.keywords.push(keyword("pre_start", ValueKind::Command, "/bin/x")),
            Some("every resource has"),
        );
        let store = Keyword { store: Some(model::ObjectKind::Sec), ..keyword("vars", ValueKind::Words, "db/*") };
        check(|manifest| manifest.keywords.push(store), Some("data store"));
        let chosen = keyword("mode", ValueKind::String, "fast").among(&["slow"]);
        check(|manifest| manifest.keywords.push(chosen), Some("is not one of its values: slow"));
    }
}
