//! Connects the component's exports to the driver's traits. The code that `#[driver]` generates calls this module.

use std::marker::PhantomData;

use crate::bindings::console::exports::hostler::driver::console;
use crate::bindings::exports::hostler::driver as exports;
use crate::bindings::fence::exports::hostler::driver::fence;
use crate::bindings::hostler::driver::types::{self as wit, ActionError, ResourceContext};
use crate::bindings::migrate::exports::hostler::driver::migrate;
use crate::bindings::sync::exports::hostler::driver::sync;
use crate::bindings::task::exports::hostler::driver::task;
use crate::schema::Section;
use crate::{Console, Context, Driver, Fence, FenceReport, Migrate, Result, Sync, Task};

/// The facts about a driver that `#[driver]` finds in its source.
pub trait DriverRegistration: Driver {
    /// The crate's version.
    const VERSION: &'static str;
    /// The verbs that the driver implements.
    const VERBS: &'static [&'static str];
    /// The manifest's JSON.
    const MANIFEST: &'static [u8];
}

/// The component that a driver is exported as.
#[derive(Debug)]
pub struct DriverComponent<D>(PhantomData<D>);

/// Reads the resource's section into the driver's keywords, then calls the driver.
fn call<D: Driver, T>(
    wire: ResourceContext,
    verb: impl FnOnce(&D, &Context) -> Result<T>,
) -> std::result::Result<T, ActionError> {
    let context = Context::of(&wire);
    // The section is read for each call, because the driver keeps nothing between two calls.
    let driver = D::read(&Section::of(wire.keywords))?;
    Ok(verb(&driver, &context)?)
}

impl<D: DriverRegistration> exports::manifest::Guest for DriverComponent<D> {
    fn describe() -> String {
        // The manifest was made from texts at compile time, so nothing is lost.
        String::from_utf8_lossy(D::MANIFEST).into_owned()
    }
}

impl<D: Driver> exports::lifecycle::Guest for DriverComponent<D> {
    fn validate(r: ResourceContext) -> std::result::Result<Vec<wit::Problem>, ActionError> {
        // A problem needs no conversion: the SDK's type is the generated one.
        call::<D, _>(r, D::validate)
    }

    fn status(r: ResourceContext) -> std::result::Result<wit::StatusReport, ActionError> {
        call::<D, _>(r, |driver, context| driver.status(context).map(crate::Status::into_report))
    }

    fn start(r: ResourceContext) -> std::result::Result<wit::Outcome, ActionError> {
        call::<D, _>(r, |driver, context| driver.start(context).map(crate::Outcome::into_wire))
    }

    fn stop(r: ResourceContext) -> std::result::Result<wit::Outcome, ActionError> {
        call::<D, _>(r, |driver, context| driver.stop(context).map(crate::Outcome::into_wire))
    }

    fn provision(r: ResourceContext) -> std::result::Result<wit::Outcome, ActionError> {
        call::<D, _>(r, |driver, context| driver.provision(context).map(crate::Outcome::into_wire))
    }

    fn unprovision(r: ResourceContext) -> std::result::Result<wit::Outcome, ActionError> {
        call::<D, _>(r, |driver, context| driver.unprovision(context).map(crate::Outcome::into_wire))
    }
}

impl<D: Task> task::Guest for DriverComponent<D> {
    fn run(r: ResourceContext) -> std::result::Result<task::RunReport, ActionError> {
        let report = call::<D, _>(r, D::run)?;
        // The generated type belongs to the world of this export alone, so the SDK has one of its own.
        Ok(task::RunReport { exit_status: report.exit_status, text: report.text })
    }
}

impl<D: Sync> sync::Guest for DriverComponent<D> {
    fn sync(
        r: ResourceContext,
        verb: String,
        targets: Vec<String>,
    ) -> std::result::Result<Vec<sync::TargetReport>, ActionError> {
        let reports = call::<D, _>(r, |driver, context| driver.sync_all(context, &verb, &targets))?;
        Ok(reports.into_iter().map(wire_report).collect())
    }
}

impl<D: Console> console::Guest for DriverComponent<D> {
    fn enter(r: ResourceContext) -> std::result::Result<console::Attachment, ActionError> {
        call::<D, _>(r, |driver, context| driver.enter(context).map(crate::Attachment::into_wire))
    }

    fn exec(r: ResourceContext, argv: Vec<String>) -> std::result::Result<console::Attachment, ActionError> {
        call::<D, _>(r, |driver, context| driver.exec(context, &argv).map(crate::Attachment::into_wire))
    }

    fn logs(r: ResourceContext, follow: bool) -> std::result::Result<console::Attachment, ActionError> {
        call::<D, _>(r, |driver, context| driver.logs(context, follow).map(crate::Attachment::into_wire))
    }
}

impl<D: Migrate> migrate::Guest for DriverComponent<D> {
    fn migrate(r: ResourceContext, to: String) -> std::result::Result<wit::Outcome, ActionError> {
        call::<D, _>(r, |driver, context| driver.migrate(context, &to).map(crate::Outcome::into_wire))
    }
}

impl<D: Fence> fence::Guest for DriverComponent<D> {
    fn fence(r: ResourceContext, node: String) -> std::result::Result<fence::FenceReport, ActionError> {
        call::<D, _>(r, |driver, context| driver.fence(context, &node).map(wire_fence))
    }

    fn test(r: ResourceContext, node: String) -> std::result::Result<fence::FenceReport, ActionError> {
        call::<D, _>(r, |driver, context| driver.test(context, &node).map(wire_fence))
    }
}

fn wire_fence(report: FenceReport) -> fence::FenceReport {
    fence::FenceReport { proof: report.proof, text: report.text }
}

fn wire_report(report: crate::TargetReport) -> sync::TargetReport {
    sync::TargetReport { target: report.target, bytes: report.bytes, changed: report.changed, error: report.error }
}

/// Exports `manifest` and `lifecycle`, and writes the custom section.
#[doc(hidden)]
#[macro_export]
macro_rules! export_driver {
    ($driver:ty) => {
        // Evaluated natively too, so that `cargo check` reports an error in the manifest.
        const _: &[u8] = <$driver as $crate::export::DriverRegistration>::MANIFEST;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::export_lifecycle_component!(Component with_types_in $crate::bindings);

            // The host reads the manifest from this section, without running the component.
            #[used]
            #[unsafe(link_section = "hostler.manifest")]
            static SECTION: [u8; <$driver as $crate::export::DriverRegistration>::MANIFEST.len()] =
                *<$driver as $crate::export::DriverRegistration>::MANIFEST.first_chunk().unwrap();
        };
    };
}

/// Exports `task`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_task {
    ($driver:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::task::export_task_component!(Component with_types_in $crate::bindings::task);
        };
    };
}

/// Exports `sync`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_sync {
    ($driver:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::sync::export_sync_component!(Component with_types_in $crate::bindings::sync);
        };
    };
}

/// Exports `console`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_console {
    ($driver:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::console::export_console_component!(Component with_types_in $crate::bindings::console);
        };
    };
}

/// Exports `migrate`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_migrate {
    ($driver:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::migrate::export_migrate_component!(Component with_types_in $crate::bindings::migrate);
        };
    };
}

/// Exports `fence`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_fence {
    ($driver:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::export::DriverComponent<$driver>;
    $crate::bindings::fence::export_fence_component!(Component with_types_in $crate::bindings::fence);
        };
    };
}
