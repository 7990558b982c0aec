# `just` lists the recipes; every line can as well be typed by hand.

_default:
    @just --list --unsorted

# Formatting, lints and all tests: before every commit.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo test --workspace --features sim/parquet --locked

# Run a scenario by its name, for example `just run partition --seed 7`.
run scenario *arguments:
    cargo run --release --locked -- run scenarios/{{scenario}}.toml {{arguments}}

# Benchmarks of the event loop; sim/benches/README.md says how to read them.
bench *arguments:
    cargo bench --package sim --locked {{arguments}}

# Fuzz all decoders until interrupted; needs `cargo install cargo-fuzz` and a C++ compiler.
fuzz *arguments:
    cd crdts && cargo fuzz run decoders --sanitizer none --debug-assertions -- -max_len=1024 {{arguments}}

# Measure `crdts` against its peers and write crdts/BENCHMARKS.md; `--features all-peers` adds the slow ones.
bench-crdts *arguments:
    cargo run --release --locked --manifest-path crdts/bench/Cargo.toml {{arguments}}

# Count the instructions of the hot operations of `crdts` and compare with the committed counts; needs valgrind.
gate-crdts:
    cargo run --release --locked --manifest-path crdts/bench/Cargo.toml --bin instructions check

# Accept all changed snapshots of reports; read the difference before committing it.
bless:
    INSTA_UPDATE=always BLESS=1 cargo test --workspace --features sim/parquet --locked
    git diff --stat -- '*.snap'

# Write the schema next to the scenarios, where editors find it.
schema:
    cargo run --release --locked -- schema scenario > scenarios/scenario.schema.json

# Exactly what continuous integration runs.
ci:
    .ci/run
