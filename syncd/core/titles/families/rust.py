"""Rust: core, alloc, std, the panic machinery, and crates that most programs run in. Sources: https://doc.rust-lang.org/std/, https://docs.rs."""

from syncd.core.titles.families import Family

RUST = Family(
    irrelevant=(
        "rustc::*", "rust_*", "rg_*", "rdl_*",
        "/(?:^|::)_*(?:rust_begin_unwind|rust_panic\\w*|rg_oom|rust_alloc_error_handler|rust_start_panic|rust_end_short_backtrace|rust_begin_short_backtrace|rust_drop_panic|rust_foreign_exception)$/",
        "core::panicking::*", "std::panicking::*", "std::panic::*", "core::panic::*", "std::rt::*", "std::sys_common::backtrace*",
        "std::sys::backtrace*", "std::sys::*::abort*", "std::process::abort*", "std::process::exit", "std::backtrace*", "panic_unwind::*",
        "panic_abort::*", "backtrace::*", "core::option::*failed*", "core::result::*failed*", "core::cell::panic_*", "core::slice::index::*fail*",
        "core::str::slice_error*", "core::slice::*_fail*", "alloc::alloc::handle_alloc_error*", "alloc::alloc::*alloc_error*",
        "alloc::raw_vec::*overflow*", "alloc::raw_vec::handle_error", "std::alloc::*oom*", "std::alloc::default_alloc_error*",
        "std::alloc::handle_alloc_error*", "std::io::Write::write_fmt*", "core::fmt::*", "console_error_panic_hook::*", "color_eyre::*",
        "human_panic::*", "core::intrinsics::abort",
        "std::sys::*::thread::*", "std::thread::*", "core::ops::function::FnOnce::call_once*", "core::ops::function::Fn*::call*", "log_panics::*",
        "sentry_panic::*", "sentry::*", "better_panic::*", "gkrust_shared::oom_hook::*", "gkrust_shared::panic_hook*",
    ),
    prefix=(
        "core::*", "alloc::*", "std::*", "hashbrown::*", "/^&?(?:mut )?(?:core|alloc|std|hashbrown)::/", "once_cell::*", "lazy_static::*",
        "parking_lot*::*", "smallvec::*", "arrayvec::*", "indexmap::*", "either::*", "itertools::*", "memchr::*", "bytes::*", "dashmap::*",
        "slab::*", "compiler_builtins::*",
    ),
    library=(
        "tokio::*", "tokio_util::*", "futures*::*", "rayon*::*", "crossbeam*::*", "async_std::*", "async_executor::*", "async_task::*", "smol::*",
        "log::*", "tracing*::*", "anyhow::*", "eyre::*", "serde*::*", "hyper*::*", "h2::*", "reqwest::*", "tower*::*", "mio::*", "axum::*",
        "actix*::*", "warp::*", "winit::*", "wgpu*::*", "naga::*", "glutin::*", "eframe::*", "egui*::*", "bevy_ecs::*", "bevy_app::*",
        "bevy_tasks::*", "clap*::*", "regex*::*", "libloading::*", "cxx::*", "wasm_bindgen*::*", "sqlx*::*", "diesel::*", "rusqlite::*", "glib::*",
        "gio::*", "gtk::*", "tao::*", "wry::*", "objc2::*", "block2::*",
    ),
    places=("/rustc/", ".cargo/registry/", ".cargo\\registry", "/rustlib/src/"),
)  # fmt: skip
