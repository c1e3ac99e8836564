//! The host side of the contract, generated from `wit/`. Nothing is written by hand here: it is a crate of its own because it
//! is slow to compile.
//!
//! [`driver`] is what every component has: the imported capabilities, and the exports `manifest` and `lifecycle`. The
//! optional exports are worlds of their own, looked for by name in an instance that already runs.

#![allow(missing_docs, reason = "generated: the documentation is in wit/")]
#![allow(clippy::all, reason = "generated")]
#![allow(unreachable_pub, reason = "generated")]

/// The world of every driver.
pub mod driver {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "driver",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

/// The optional export of drivers of tasks.
pub mod task {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "package hostler:host; world host-task { export hostler:driver/task@0.1.0; }",
        world: "hostler:host/host-task",
        exports: { default: async },
        with: { "hostler:driver/types": crate::driver::hostler::driver::types },
    });
}

/// The optional export of drivers that copy.
pub mod sync {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "package hostler:host; world host-sync { export hostler:driver/sync@0.1.0; }",
        world: "hostler:host/host-sync",
        exports: { default: async },
        with: { "hostler:driver/types": crate::driver::hostler::driver::types },
    });
}

/// The optional export of drivers of resources that one can look into.
pub mod console {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "package hostler:host; world host-console { export hostler:driver/console@0.1.0; }",
        world: "hostler:host/host-console",
        exports: { default: async },
        with: { "hostler:driver/types": crate::driver::hostler::driver::types },
    });
}

/// The optional export of drivers of resources that can go on running on another node.
pub mod migrate {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "package hostler:host; world host-migrate { export hostler:driver/migrate@0.1.0; }",
        world: "hostler:host/host-migrate",
        exports: { default: async },
        with: { "hostler:driver/types": crate::driver::hostler::driver::types },
    });
}

/// The optional export of drivers that end nodes.
pub mod fence {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "package hostler:host; world host-fence { export hostler:driver/fence@0.1.0; }",
        world: "hostler:host/host-fence",
        exports: { default: async },
        with: { "hostler:driver/types": crate::driver::hostler::driver::types },
    });
}
