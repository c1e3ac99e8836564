//! The manifests of the drivers that come with the agent.

use std::collections::BTreeSet;

use builtin::BuiltinDriver;
use driver::Manifest;
use grant::GrantRequest;
use model::convert::convert;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OptLevel, Store};

fn check(holds: impl Fn(&BuiltinDriver, &Manifest)) {
    assert!(!builtin::drivers().is_empty());
    for driver in builtin::drivers() {
        let manifest = Manifest::parse(driver.manifest.as_bytes());
        holds(driver, &manifest.unwrap_or_else(|error| panic!("{}: {error}", driver.name)));
    }
}

#[tokio::test]
async fn a_driver_says_the_same_in_its_section_and_when_asked() {
    let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None)).unwrap();
    for driver in builtin::drivers() {
        assert_eq!(hostler_runtime::manifest_of(driver.component).unwrap(), driver.manifest, "{}", driver.name);
        let component = Component::new(&engine, driver.component).unwrap();
        let mut linker = Linker::new(&engine);
        // It describes itself without any grant.
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let mut store = Store::new(&engine, ());
        let exports = bindings::driver::Driver::instantiate_async(&mut store, &component, &linker).await.unwrap();
        let said = exports.hostler_driver_manifest().call_describe(&mut store).await.unwrap();
        assert_eq!(said, driver.manifest, "{}", driver.name);
    }
}

#[test]
fn a_driver_and_its_keywords_are_explained() {
    check(|driver, manifest| {
        assert_eq!(manifest.name.to_string(), driver.name);
        assert!(!manifest.summary.is_empty(), "{} has no summary", driver.name);
        let mut names = BTreeSet::new();
        for keyword in &manifest.keywords {
            let what = format!("{}: {}", driver.name, keyword.name);
            assert!(!keyword.help.trim().is_empty(), "{what} has no help");
            assert!(names.insert(&keyword.name), "{what} is there twice");
            assert!(keyword.aliases.iter().all(|alias| names.insert(alias)), "{what}: {:?}", keyword.aliases);
        }
    });
}

#[test]
fn defaults_and_examples_are_what_could_be_written() {
    check(|driver, manifest| {
        for keyword in &manifest.keywords {
            let examples = Some(&keyword.example).filter(|example| !example.is_empty());
            for text in keyword.default.iter().chain(examples).filter(|text| !text.contains('{')) {
                let what = format!("{}: {} = {text}", driver.name, keyword.name);
                let values = convert(keyword.kind, text).unwrap_or_else(|error| panic!("{what}: {error}"));
                let candidates = &keyword.candidates;
                let among = values.iter().all(|value| candidates.contains(value));
                assert!(candidates.is_empty() || among, "{what}: expected some of {candidates:?}");
            }
        }
    });
}

#[test]
fn a_driver_asks_for_grants_about_its_own_keywords() {
    check(|driver, manifest| {
        let own: BTreeSet<String> = manifest.keywords.iter().map(|keyword| keyword.name.clone()).collect();
        for line in &manifest.grants {
            let request = GrantRequest::parse(line).unwrap_or_else(|error| panic!("{}: {error}", driver.name));
            let strangers: Vec<String> = request.keywords().difference(&own).cloned().collect();
            assert!(strangers.is_empty(), "{}: {line}: {strangers:?}", driver.name);
        }
    });
}
