//! Drivers that were compiled against each released level of the contract, kept as they were: they run in every later agent
//! of the same level.
//!
//! `tests/museum/<level>/<group>.<name>.wasm`. One is added when a level is released, and none is ever rebuilt.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{Change, Manifest, SilentLog, Verb};
use hostler_runtime::{ComponentCode, DriverSource};
use model::status::State;

use crate::support::{Bench, bounds};

fn exhibits() -> Vec<PathBuf> {
    let museum = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/museum");
    let levels = fs::read_dir(museum).unwrap().map(|level| level.unwrap().path());
    levels.flat_map(|level| fs::read_dir(level).unwrap()).map(|exhibit| exhibit.unwrap().path()).collect()
}

/// Loads it as an installed driver: from its file, with the lines that its manifest asks for allowed.
fn install(bench: &Bench, path: PathBuf) -> DriverSource {
    let component = fs::read(&path).unwrap();
    let manifest = hostler_runtime::manifest_of(&component).unwrap();
    let manifest = Manifest::parse(manifest.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let digest = format!("sha256:{}", hostler_runtime::digest(&component));
    let allow: String = manifest.grants.iter().map(|line| format!("allow {line}\n")).collect();
    let policy = bench.path(&format!("{}.policy", manifest.name));
    fs::write(policy, format!("digest {digest}\n{allow}")).unwrap();
    DriverSource { manifest, digest, code: ComponentCode::File(path) }
}

#[tokio::test]
async fn drivers_of_every_level_live_a_whole_life() {
    let exhibits = exhibits();
    assert!(!exhibits.is_empty());
    for path in exhibits {
        let bench = Bench::new();
        let source = install(&bench, path.clone());
        let (name, what) = (source.manifest.name.to_string(), path.display());
        let driver = bench.runtime.load(source).unwrap_or_else(|error| panic!("{what}: {error}"));
        let call = bench.call("fs#1", &name, vec![]);
        let log = || Arc::new(SilentLog);
        assert_eq!(driver.validate(&call, &bounds(), log()).await, Ok(vec![]), "{what}");
        for (verb, change, state) in [
            (Verb::Stop, Change::Unchanged, State::Down),
            (Verb::Provision, Change::Unchanged, State::Down),
            (Verb::Start, Change::Changed, State::Up),
            (Verb::Start, Change::Unchanged, State::Up),
            (Verb::Stop, Change::Changed, State::Down),
            (Verb::Unprovision, Change::Unchanged, State::Down),
        ] {
            let report = driver.act(verb, &call, &bounds(), log()).await;
            assert_eq!((report.change, report.result.is_ok()), (change, true), "{what} {verb}: {report:?}");
            assert_eq!(driver.status(&call, &bounds(), log()).await.state, state, "{what} {verb}");
        }
    }
}
