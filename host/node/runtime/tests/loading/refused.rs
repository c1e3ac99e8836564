//! Components that are not drivers for this agent: each is refused with a reason that an operator understands.

use std::fs::{self, File};

use driver::Manifest;
use hostler_runtime::{LoadError, manifest_of};

use crate::place::{Place, component, error_chain, flag, installed};

/// The preamble of a component, and nothing behind it.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// The preamble of a core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The small driver with a word replaced by another of the same length, wherever it stands.
fn altered(old: &str, new: &str) -> Vec<u8> {
    let (old, new, mut bytes) = (old.as_bytes(), new.as_bytes(), component().to_vec());
    assert_eq!(old.len(), new.len());
    let places: Vec<usize> = (0..bytes.len() - old.len()).filter(|&at| bytes[at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "it has no {}", String::from_utf8_lossy(old));
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    bytes
}

/// Asserts the error of loading a component, as if its manifest were valid.
fn check(component: &[u8], expected: &str) {
    let place = Place::new();
    let error = place.load(installed(&place.path("driver.wasm"), component)).unwrap_err();
    assert!(error_chain(&error).starts_with(expected), "expected {expected:?}, found {:?}", error_chain(&error));
}

#[test]
fn a_component_that_does_not_compile_is_refused() {
    check(b"", "it does not compile: ");
    check(b"#!/bin/sh\n", "it does not compile: ");
    check(MODULE, "it does not compile: ");
    check(&component()[..component().len() / 2], "it does not compile: ");
}

#[test]
fn a_component_of_another_contract_is_refused() {
    check(EMPTY, "it does not fit the contract: no exported instance named `hostler:driver/manifest@0.1.0`");
    check(
        &altered("hostler:driver/lifecycle@0.1.0", "hostler:driver/lifecycle@0.2.0"),
        "it does not fit the contract: no exported instance named `hostler:driver/lifecycle@0.1.0`",
    );
    check(
        &altered("hostler:driver/files@0.1.0", "hostler:driver/wings@0.1.0"),
        "it does not fit the contract: component imports instance `hostler:driver/wings@0.1.0`",
    );
}

#[test]
fn an_oversized_component_is_refused_before_it_is_compiled() {
    let place = Place::new();
    let source = installed(&place.path("driver.wasm"), component());
    File::options().write(true).open(place.path("driver.wasm")).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(error_chain(&place.load(source).unwrap_err()), "the component has more than 67108864 bytes");
    assert_eq!(place.compilations(), 0);
}

#[test]
fn a_file_replaced_after_its_installation_is_refused_even_if_the_cache_has_the_old_one() {
    let place = Place::new();
    let path = place.path("driver.wasm");
    let source = installed(&path, component());
    place.load(source.clone()).unwrap();
    fs::write(&path, altered("already exists", "was never here")).unwrap();
    match place.load(source.clone()).unwrap_err() {
        LoadError::Digest { expected, found } => {
            assert_eq!(expected, source.digest);
            assert_ne!(found, expected);
        }
        other => panic!("{other}"),
    }
    fs::remove_file(&path).unwrap();
    let gone = error_chain(&place.load(source).unwrap_err());
    assert_eq!(gone, "its component cannot be read: No such file or directory (os error 2)");
    assert_eq!(place.compilations(), 1);
}

#[test]
fn a_driver_that_asks_for_what_cannot_be_granted_is_refused() {
    let check = |line: &str, expected: &str| {
        let mut source = flag();
        source.manifest.grants = vec![line.to_owned()];
        assert_eq!(error_chain(&Place::new().load(source).unwrap_err()), expected);
    };
    check(
        "files.write = {kw:path}",
        "its grant \"files.write = {kw:path}\" names \"path\", which is not one of its keywords",
    );
    check(
        "exec = mkfs",
        "it asks for something that is not a grant: column 8 of the grant \"exec = mkfs\": expected an absolute path",
    );
}

#[test]
fn a_file_without_a_manifest_is_refused() {
    let check = |bytes: &[u8], expected: &str| assert_eq!(error_chain(&manifest_of(bytes).unwrap_err()), expected);
    let none = "it has no section hostler.manifest";
    check(EMPTY, none);
    check(MODULE, none);
    check(&altered("hostler.manifest", "hostler.manifold"), none);
    check(b"#!/bin/sh\n", "it is not WebAssembly");
    check(b"", "it is not WebAssembly");
}

#[test]
fn a_manifest_of_another_contract_is_refused() {
    let other = altered("\"contract\":\"0.1\"", "\"contract\":\"9.1\"");
    let error = Manifest::parse(manifest_of(&other).unwrap().as_bytes()).unwrap_err();
    assert_eq!(error_chain(&error), "the driver was made for contract 9.1, this host speaks 0.1");
}
