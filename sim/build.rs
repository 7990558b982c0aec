//! Compiles the library that is preloaded into foreign processes (`shim/`), so that `sim` carries it in itself.
//!
//! It needs nothing but the compiler that compiles `sim`. Where the library cannot work, an empty file stands in its place.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=shim/src");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let library = PathBuf::from(variable("OUT_DIR")).join("preloaded.so");
    let known = matches!(variable("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    if !(known && variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu") {
        std::fs::write(&library, []).expect("OUT_DIR can be written to");
        return;
    }
    let mut compiler = Command::new(variable("RUSTC"));
    compiler.args(["--crate-name", "sim_shim", "--edition", "2024", "--crate-type", "cdylib"]);
    compiler.args(["-O", "-C", "panic=abort", "-C", "strip=symbols", "--target", &variable("TARGET")]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg("-C").arg(format!("linker={linker}"));
    }
    compiler.arg("-o").arg(&library).arg("shim/src/lib.rs");
    let status = compiler.status().expect("the compiler starts");
    assert!(status.success(), "the library for foreign processes could not be compiled: {status}");
}
