//! Inputs that nobody would write: the files of a corpus, and what becomes of them by a few mutations.
//!
//! `cargo test` tries a few hundred for each target, always the same ones. With `HOSTLER_FUZZ_SECONDS` it tries others each time, for so
//! long. An input that fails is shrunk and written to the corpus, so that it is tried from then on: commit it with the mend.

#![expect(clippy::print_stdout, reason = "a test says how much it tried, and which input failed")]

mod mutation;

use std::cell::Cell;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::mutation::Mutation;

/// How many inputs a test tries unless it is said how long it shall try.
const INPUTS: u32 = 400;

/// No input may take longer than this, even on a busy machine without optimisation.
const LONGEST: Duration = Duration::from_secs(20);

/// Something that reads inputs, with the words that mean something in them.
pub struct FuzzTarget {
    /// The directory of its corpus.
    pub name: &'static str,
    pub words: &'static [&'static str],
}

impl FuzzTarget {
    /// Tries inputs. `check` panics on one that it must not be in.
    pub fn run(&self, check: impl Fn(&[u8])) {
        let corpus = self.corpus();
        for (name, input) in &corpus {
            if let Err(reason) = tried(&check, input) {
                panic!("{}/{name}: {reason}", self.name);
            }
        }
        let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
        let seconds = std::env::var("HOSTLER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
        let deadline = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let config = Config { cases: INPUTS, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let tried = Cell::new(0_u64);
        let check = |input: &[u8]| {
            tried.set(tried.get() + 1);
            check(input);
        };
        loop {
            // A runner that has had its successes runs nothing more.
            let runner = match deadline {
                None => TestRunner::new_with_rng(config.clone(), rng.clone()),
                Some(_) => TestRunner::new(config.clone()),
            };
            self.round(runner, &inputs, &check);
            if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                break;
            }
        }
        println!("{}: {} inputs", self.name, tried.get());
    }

    fn round(&self, mut runner: TestRunner, inputs: &[Vec<u8>], check: &impl Fn(&[u8])) {
        let mutations = prop::collection::vec(Mutation::any(self.words), 1..10);
        let found = runner.run(&(any::<prop::sample::Index>(), mutations), |(seed, mutations)| {
            let input = mutated(inputs, seed, &mutations);
            tried(check, &input).map_err(TestCaseError::fail)
        });
        match found {
            Ok(()) => {}
            Err(TestError::Fail(reason, (seed, mutations))) => {
                let path = self.keep(&mutated(inputs, seed, &mutations));
                panic!("{}: {reason}", path.display());
            }
            Err(TestError::Abort(reason)) => panic!("{}: {reason}", self.name),
        }
    }

    fn directory(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name)
    }

    /// The names and contents of its corpus, in the order of the names.
    fn corpus(&self) -> Vec<(String, Vec<u8>)> {
        let directory = self.directory();
        let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let corpus: Vec<_> = paths.iter().filter_map(|path| Some((name(path), fs::read(path).ok()?))).collect();
        assert!(!corpus.is_empty(), "{} is empty", directory.display());
        corpus
    }

    /// Keeps an input that failed.
    fn keep(&self, input: &[u8]) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        let path = self.directory().join(format!("found-{:016x}", hasher.finish()));
        if let Err(error) = fs::write(&path, input) {
            println!("{}: {error}: {input:?}", path.display());
        }
        path
    }
}

fn mutated(inputs: &[Vec<u8>], seed: prop::sample::Index, mutations: &[Mutation]) -> Vec<u8> {
    let mut input = seed.get(inputs).clone();
    mutations.iter().for_each(|mutation| mutation.apply(&mut input, inputs));
    input
}

/// Why an input is not taken as it must be.
fn tried(check: &impl Fn(&[u8]), input: &[u8]) -> Result<(), String> {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| check(input)));
    let took = began.elapsed();
    match outcome {
        Ok(()) if took > LONGEST => Err(format!("it took {took:?}")),
        Ok(()) => Ok(()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
        }
    }
}
