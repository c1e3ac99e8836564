//! How the program is linked.
//!
//! A position-independent executable of this size has 200,000 pointers to relocate whenever it starts, which takes two to
//! three times as long as everything else that a short command does. So the program has a fixed address, as those of Go
//! have. Stacks, heaps, libraries and compiled drivers are at random addresses all the same.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // From the environment: `cfg!` in a build script is about the machine that builds, not about the target.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
