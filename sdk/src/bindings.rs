//! The bindings that wit-bindgen generates from `wit/`. This is the only call of the generator; the rest of the SDK is
//! written by hand.
//!
//! The imports of these modules exist on wasm32 only. On other targets the capabilities call [`crate::fake`] instead.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    reason = "generated: which of them apply differs by target"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "driver",
    additional_derives: [PartialEq, Eq],
    // The macro is called in the crate of the driver, so it must find everything by way of the SDK: a driver does not depend
    // on wit-bindgen itself.
    pub_export_macro: true,
    export_macro_name: "export_lifecycle_component",
    default_bindings_module: "hostler_sdk::bindings",
    runtime_path: "::hostler_sdk::bindings::rt",
});

pub use wit_bindgen::rt;

/// The optional export `task`, in a world of its own, which the linker merges with the driver's world.
pub mod task {
    wit_bindgen::generate!({
        inline: "package hostler:sdk-task; world task-export { export hostler:driver/task@0.1.0; }",
        path: "../wit",
        world: "hostler:sdk-task/task-export",
        // The types of the driver's world, so that one conversion of the context serves all exports.
        with: { "hostler:driver/types@0.1.0": super::hostler::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_task_component",
        default_bindings_module: "hostler_sdk::bindings::task",
        runtime_path: "::hostler_sdk::bindings::rt",
    });
}

/// The optional export `sync`, likewise.
pub mod sync {
    wit_bindgen::generate!({
        inline: "package hostler:sdk-sync; world sync-export { export hostler:driver/sync@0.1.0; }",
        path: "../wit",
        world: "hostler:sdk-sync/sync-export",
        with: { "hostler:driver/types@0.1.0": super::hostler::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_sync_component",
        default_bindings_module: "hostler_sdk::bindings::sync",
        runtime_path: "::hostler_sdk::bindings::rt",
    });
}

/// The optional export `console`, likewise.
pub mod console {
    wit_bindgen::generate!({
        inline: "package hostler:sdk-console; world console-export { export hostler:driver/console@0.1.0; }",
        path: "../wit",
        world: "hostler:sdk-console/console-export",
        with: { "hostler:driver/types@0.1.0": super::hostler::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_console_component",
        default_bindings_module: "hostler_sdk::bindings::console",
        runtime_path: "::hostler_sdk::bindings::rt",
    });
}

/// The optional export `migrate`, likewise.
pub mod migrate {
    wit_bindgen::generate!({
        inline: "package hostler:sdk-migrate; world migrate-export { export hostler:driver/migrate@0.1.0; }",
        path: "../wit",
        world: "hostler:sdk-migrate/migrate-export",
        with: { "hostler:driver/types@0.1.0": super::hostler::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_migrate_component",
        default_bindings_module: "hostler_sdk::bindings::migrate",
        runtime_path: "::hostler_sdk::bindings::rt",
    });
}

/// The optional export `fence`, likewise.
pub mod fence {
    wit_bindgen::generate!({
        inline: "package hostler:sdk-fence; world fence-export { export hostler:driver/fence@0.1.0; }",
        path: "../wit",
        world: "hostler:sdk-fence/fence-export",
        with: { "hostler:driver/types@0.1.0": super::hostler::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_fence_component",
        default_bindings_module: "hostler_sdk::bindings::fence",
        runtime_path: "::hostler_sdk::bindings::rt",
    });
}
