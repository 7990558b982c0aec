//! What the numbers were measured on and with.

use std::process::Command;

use crate::table::Table;

const LOCK: &str = include_str!("../Cargo.lock");

/// Each peer: its name here, its package, and a remark.
const PEERS: [(&str, &str, &str); 7] = [
    ("rust-crdt", "crdts", "joins take the other state by value; the clone that this needs is not part of its times"),
    ("cola", "cola", "feature `encode`; holds no text, and its replicas must be forks of one origin"),
    ("jumprope", "jumprope", "no CRDT: the text beside cola, and a floor by itself"),
    ("diamond-types", "diamond-types", "encoded without deleted text"),
    ("yrs", "yrs", "feature `all-peers` of this package only; garbage collection on, its default"),
    ("loro", "loro", "feature `all-peers` of this package only"),
    ("automerge", "automerge", "feature `all-peers` of this package only; `AutoCommit`"),
];

/// The newest version of a package in the lock file: the library itself has the name of a peer and an older version.
fn version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    let entries = LOCK.split("[[package]]").filter(|entry| entry.lines().any(|line| line == name));
    let versions = entries
        .filter(|entry| entry.contains("registry+"))
        .filter_map(|entry| entry.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')));
    versions.last().unwrap_or("unknown")
}

/// The peers with their versions.
pub fn peers() -> String {
    let mut table = Table::new(&["peer", "version", "remark"]);
    for (name, package, remark) in PEERS {
        table.row(&[name, version(package), remark]);
    }
    table.finish()
}

/// The compiler with its version.
pub fn compiler() -> String {
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let line = rustc.and_then(|output| String::from_utf8(output.stdout).ok());
    line.as_deref().and_then(|line| line.split(" (").next()).unwrap_or("rustc of unknown version").into()
}

/// The processor, its operating system and the compiler.
pub fn description() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpuinfo.lines().find_map(|line| line.strip_prefix(name)?.split_once(": ").map(|(_, value)| value.to_string()))
    };
    let processor = field("model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{processor}, {cores} cores visible, {architecture} {system}, {}", compiler())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for (name, package, _) in PEERS {
            assert!(version(package).starts_with(|digit: char| digit.is_ascii_digit()), "{name}");
        }
        assert!(version("crdts").starts_with('7'), "not our own");
    }
}
