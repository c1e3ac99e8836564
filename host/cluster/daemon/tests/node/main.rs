//! The daemon of one node, in this process: real agent, real drivers, real store, real files.

mod configurations;
mod hands;
mod hooks;
mod life;
mod looks;
mod node;
mod orders;
mod restarts;
mod schedules;
mod stores;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// The trials of a file, named after its functions. Each has a runtime of its own, as the daemon needs it.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$(crate::trial(concat!(module_path!(), "::", stringify!($test)), || Box::pin($test()))),*]
        }
    };
}
pub(crate) use trials;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|verb| verb == agent::COMPILE_VERB) {
        return if agent::compile_child().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let files = [
        configurations::trials(),
        hands::trials(),
        hooks::trials(),
        life::trials(),
        looks::trials(),
        orders::trials(),
        restarts::trials(),
        schedules::trials(),
        stores::trials(),
    ];
    libtest_mimic::run(&Arguments::from_args(), files.into_iter().flatten().collect()).exit_code()
}

pub(crate) fn trial(name: &'static str, test: fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>) -> Trial {
    let name = name.trim_start_matches("node::");
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        runtime.shutdown_background();
        Ok(())
    })
}
