//! The manifest, read by an independent JSON parser.

use hostler_sdk::export::DriverRegistration;
use serde_json::{Value, json};

use crate::samples::Probe;

fn manifest() -> Value {
    serde_json::from_slice(Probe::MANIFEST).expect("the manifest is JSON")
}

fn keyword(name: &str) -> Value {
    let manifest = manifest();
    let keywords = manifest["keywords"].as_array().expect("keywords are a list");
    keywords.iter().find(|keyword| keyword["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn the_driver_is_described_as_its_source_says() {
    let mut manifest = manifest();
    manifest["keywords"] = Value::Null;
    let expected = json!({
        "contract": "0.1",
        "group": "task",
        "name": "probe",
        "aliases": ["prober"],
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "A probe of \"quotes\" and \\backslashes.",
        "description": "Line one,\nline two.\n\nSecond paragraph: ünïcödé.",
        "keywords": null,
        "grants": ["exec = {kw:command}", "files.read = {kw:file}", "http.unix = POST /run/engine.sock /**"],
        "verbs": ["status", "stop", "run", "sync", "enter", "exec", "logs", "migrate"],
        "persistent": true,
    });
    assert_eq!(manifest, expected);
}

#[test]
fn keywords_keep_the_order_of_the_fields_and_take_in_flattened_ones() {
    let manifest = manifest();
    let names: Vec<_> = manifest["keywords"].as_array().into_iter().flatten().map(|k| k["name"].clone()).collect();
    assert_eq!(
        names,
        ["file", "size", "password", "type", "lazy", "timeout", "mode", "port", "secrets", "token", "command", "user"]
    );
}

#[test]
fn a_keyword_is_described_by_its_type_and_its_attribute() {
    let expected = json!({
        "name": "password", "aliases": ["pw", "pass"], "kind": "string", "required": false, "scopable": true,
        "inherit": true, "provisioning": false, "secret": true, "candidates": [], "help": "May be absent.",
        "example": "",
    });
    assert_eq!(keyword("password"), expected);
    let expected = json!({
        "name": "size", "aliases": [], "kind": "size", "default": "1g", "required": false, "scopable": false,
        "inherit": false, "provisioning": true, "secret": false, "candidates": [], "help": "Has a default.",
        "example": "",
    });
    assert_eq!(keyword("size"), expected);
    assert_eq!((&keyword("secrets")["store"], &keyword("secrets")["kind"]), (&json!("sec"), &json!("words")));
    assert_eq!(keyword("size").get("store"), None);
}

#[test]
fn control_characters_are_escaped() {
    assert_eq!(keyword("file")["example"], "/srv/{rid}\t\u{1b}");
}

#[test]
fn the_kind_follows_from_the_type_unless_it_is_given() {
    let kinds = [
        ("file", "path"),
        ("type", "nodes"),
        ("lazy", "boolean"),
        ("timeout", "duration"),
        ("mode", "mode"),
        ("port", "integer"),
        ("command", "command"),
    ];
    for (name, kind) in kinds {
        assert_eq!(keyword(name)["kind"], kind, "{name}");
    }
}

#[test]
fn only_keywords_that_cannot_be_absent_are_required() {
    let required =
        [("file", true), ("size", false), ("password", false), ("type", false), ("lazy", false), ("command", true)];
    for (name, expected) in required {
        assert_eq!(keyword(name)["required"], expected, "{name}");
    }
}
