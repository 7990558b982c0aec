//! The house rules, as far as a machine can hold them.
//!
//! Every rule is a function from a text to its findings, and every rule is shown a specimen that it must reject: a rule
//! that finds nothing anywhere would be worth nothing. What deserves an exception stands in a table with its reason.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The levels of the modules of `sim`: a module imports only modules of lower levels, and itself.
const LEVELS: &[(&str, u32)] = &[
    ("kernel", 1),
    ("history", 1),
    ("statistics", 1),
    ("protocols", 2),
    ("services", 2),
    ("workloads", 2),
    ("faults", 2),
    ("programs", 2),
    ("checkers", 3),
    ("measure", 3),
    ("zoo", 3),
    ("objects", 4),
    ("maelstrom", 5),
    ("scenario", 6),
    ("registry", 7),
    ("explain", 7),
    ("engine", 8),
    ("report", 9),
    ("cli", 10),
    ("main", 11),
];

/// Lines of a file, without its tests.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 80;

/// Longer functions that stay as they are: file, function, reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Words that may not occur in the source, each with the files that may use it and the reason.
const BANNED: &[(&str, &[&str], &str)] = &[
    (
        "HashMap",
        &["kernel/links.rs", "measure/agreement.rs", "measure/deliveries.rs"],
        "the open-addressed table with a fixed hash, which is never iterated",
    ),
    ("HashSet", &[], ""),
    (
        "Instant",
        &["maelstrom/serve/clock.rs", "programs/process/patience.rs", "programs/pace.rs"],
        "the clock of a real process, and the real time of foreign ones",
    ),
    ("SystemTime", &["maelstrom/serve/clock.rs"], "the clock of a real process"),
];

/// Marks of unfinished work. Put together here, so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("db", "g!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("sim is a member of the workspace").to_owned()
}

/// All files with this extension below `directory`, sorted.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.expect("an entry of a readable directory").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Applies a rule to every file, and fails with all that it finds.
fn hold(paths: &[PathBuf], rule: impl Fn(&str, &str) -> Vec<String>) {
    assert!(!paths.is_empty(), "the rule was applied to nothing");
    let mut findings = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        findings.extend(rule(&name, &text).into_iter().map(|finding| format!("{name}: {finding}")));
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

fn sources() -> Vec<PathBuf> {
    files(&root().join("sim/src"), "rs")
}

/// The code alone: comments and the contents of literals are blanked, lines stay where they are.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |from: usize, to: usize, out: &mut String| {
        out.extend(bytes[from..to.min(bytes.len())].iter().map(|&byte| if byte == b'\n' { '\n' } else { ' ' }));
    };
    while at < bytes.len() {
        let rest = &text[at..];
        let end = if rest.starts_with("//") {
            rest.find('\n').map_or(bytes.len(), |line| at + line)
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(bytes.len(), |end| at + end + 2)
        } else if let Some(hashes) = raw_string(rest, at.checked_sub(1).map(|before| bytes[before])) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = at + 2 + hashes;
            text[open..].find(&close).map_or(bytes.len(), |end| open + end + close.len())
        } else if rest.starts_with('"') {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end + 1
        } else if rest.starts_with("'\\") {
            rest[3..].find('\'').map_or(bytes.len(), |end| at + end + 4)
        } else if rest.starts_with('\'') && rest.chars().nth(2) == Some('\'') {
            at + rest.chars().take(3).map(char::len_utf8).sum::<usize>()
        } else {
            let width = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..width]);
            at += width;
            continue;
        };
        blank(at, end, &mut out);
        at = end;
    }
    out
}

/// The number of `#` of a raw string that begins here.
fn raw_string(rest: &str, before: Option<u8>) -> Option<usize> {
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let hashes = rest.strip_prefix('r')?.bytes().take_while(|&byte| byte == b'#').count();
    rest[1 + hashes..].starts_with('"').then_some(hashes)
}

/// Words and signs, with their lines from 1. `::` is one sign.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let width = if word(first) {
                rest.find(|c: char| !word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push((line + 1, rest[..width].to_owned()));
            rest = rest[width..].trim_start();
        }
    }
    tokens
}

/// The text up to its tests at the end.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at])
}

/// The path of modules that a file of `sim/src` is.
fn module_of(name: &str) -> Vec<String> {
    let path = name.trim_start_matches("sim/src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Which paths from the root of the crate a file names: by `crate::`, or by climbing with `super::`.
fn paths_named(module: &[String], text: &str) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(&code(text));
    let is = |at: usize, wanted: &str| tokens.get(at).is_some_and(|(_, token)| token == wanted);
    let mut found = Vec::new();
    let mut inline: Vec<(String, u32)> = Vec::new();
    let (mut depth, mut at) = (0_u32, 0);
    while at < tokens.len() {
        match tokens[at].1.as_str() {
            "mod" if is(at + 2, "{") => inline.push((tokens[at + 1].1.clone(), depth)),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, outside)| *outside < depth);
            }
            "crate" | "super" if is(at + 1, "::") && (at == 0 || !is(at - 1, "::")) => {
                let here = module.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
                at = tree(&tokens, at, here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads a path, or a tree of paths, from `at` on. Returns where it ends.
fn tree(
    tokens: &[(usize, String)],
    mut at: usize,
    mut path: Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    loop {
        let Some((line, token)) = tokens.get(at) else { return at };
        match token.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, token)| token != "}") {
                    at = tree(tokens, at, path.clone(), found);
                    if tokens.get(at).is_some_and(|(_, token)| token == "as") {
                        at += 2;
                    }
                    if tokens.get(at).is_some_and(|(_, token)| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
        if tokens.get(at).is_none_or(|(_, token)| token != "::") {
            found.push((*line, path));
            return at;
        }
        at += 1;
    }
}

/// A module may name only modules of lower levels, and itself.
fn levels(name: &str, text: &str) -> Vec<String> {
    let level = |module: &str| LEVELS.iter().find(|(known, _)| *known == module).map(|(_, level)| *level);
    let module = module_of(name);
    let Some(own) = module.first() else { return Vec::new() };
    let Some(own_level) = level(own) else {
        return vec![format!("`{own}` is not in the table of levels")];
    };
    let mut findings = Vec::new();
    for (line, path) in paths_named(&module, text) {
        let Some(target) = path.first() else { continue };
        if target == own {
            continue;
        }
        match level(target) {
            Some(below) if below < own_level => {}
            Some(other) => findings.push(format!(
                "line {line}: `{own}` is of level {own_level} and names `{}` of level {other}",
                path.join("::")
            )),
            None => findings.push(format!("line {line}: `{}` is not in the table of levels", path.join("::"))),
        }
    }
    findings
}

/// Files are short.
fn short_file(_: &str, text: &str) -> Vec<String> {
    let lines = without_tests(text).lines().count();
    if lines < FILE_LINES_MAX {
        Vec::new()
    } else {
        vec![format!("{lines} lines without tests, and less than {FILE_LINES_MAX} are wanted")]
    }
}

/// Functions are short.
fn short_functions(name: &str, text: &str) -> Vec<String> {
    let tokens = tokens(&code(without_tests(text)));
    let mut findings = Vec::new();
    for start in 0..tokens.len() {
        if tokens[start].1 != "fn" || tokens.get(start + 1).is_none_or(|(_, next)| next == "(") {
            continue;
        }
        let function = &tokens[start + 1].1;
        let Some(open) = (start..tokens.len()).find(|&at| matches!(tokens[at].1.as_str(), "{" | ";")) else { continue };
        let mut depth = 0_i32;
        let close = (open..tokens.len()).find(|&at| {
            depth += match tokens[at].1.as_str() {
                "{" => 1,
                "}" => -1,
                _ => 0,
            };
            depth == 0
        });
        let Some(close) = close else { continue };
        let lines = tokens[close].0 - tokens[start].0 + 1;
        let excused = LONG_FUNCTIONS.iter().any(|(file, excused, _)| name.ends_with(file) && excused == function);
        if lines > FUNCTION_LINES_MAX && !excused {
            findings.push(format!(
                "line {}: `{function}` has {lines} lines, and at most {FUNCTION_LINES_MAX} are wanted",
                tokens[start].0
            ));
        }
    }
    findings
}

/// No hash tables with a random order, and no clocks of the machine.
fn banned_words(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, token) in tokens(&code(text)) {
        for (word, excepted, _) in BANNED {
            if token == *word && !excepted.iter().any(|file| name.ends_with(file)) {
                findings.push(format!("line {line}: `{word}`"));
            }
        }
    }
    findings
}

/// No float decides an event: there is none in the kernel.
fn floats(_: &str, text: &str) -> Vec<String> {
    let float = |token: &str| matches!(token, "f32" | "f64");
    tokens(&code(text))
        .iter()
        .filter(|(_, token)| float(token))
        .map(|(line, token)| format!("line {line}: `{token}`"))
        .collect()
}

/// Nothing is left for later.
fn unfinished(_: &str, text: &str) -> Vec<String> {
    let marks = |line: &str| UNFINISHED.iter().filter(|mark| line.contains(**mark)).copied().collect::<Vec<_>>();
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(line, text)| marks(text).into_iter().map(move |mark| format!("line {}: `{mark}`", line + 1)))
        .collect()
}

/// A scenario tells its story first and its expectations last.
fn scenario_layout(_: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let story = text.lines().take_while(|line| line.starts_with('#')).filter(|line| !line.starts_with("#:"));
    if story.map(|line| line.trim_start_matches('#').trim().len()).sum::<usize>() < 20 {
        findings.push("it does not open with a comment that tells its story".to_owned());
    }
    let last = text.lines().rfind(|line| line.starts_with('['));
    if !last.is_some_and(|header| header.starts_with("[expect.") || header.starts_with("[expect]")) {
        findings.push("it does not end with [expect]".to_owned());
    }
    findings
}

/// Every dependency from elsewhere has a comment above it with its reason.
fn reasons(_: &str, text: &str) -> Vec<String> {
    let section = text.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let section: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
    let unexplained = |&at: &usize| {
        let line = section[at];
        let is_dependency = line.contains(" = ") && !line.starts_with('#') && !line.contains("path = ");
        is_dependency && !(at > 0 && section[at - 1].starts_with("# "))
    };
    (0..section.len()).filter(unexplained).map(|at| format!("no reason: {}", section[at])).collect()
}

#[test]
fn modules_name_only_lower_levels() {
    hold(&sources(), levels);
}

#[test]
fn the_table_of_levels_is_the_house() {
    let text = fs::read_to_string(root().join("sim/src/lib.rs")).expect("the root of the library");
    let mut declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    declared.push("main");
    let mut known: Vec<&str> = LEVELS.iter().map(|(module, _)| *module).collect();
    declared.sort_unstable();
    known.sort_unstable();
    assert_eq!(declared, known);
}

#[test]
fn files_are_short() {
    hold(&sources(), short_file);
    hold(&files(&root().join("crdts/src"), "rs"), short_file);
}

#[test]
fn functions_are_short() {
    hold(&sources(), short_functions);
    hold(&files(&root().join("crdts/src"), "rs"), short_functions);
}

#[test]
fn exceptions_are_still_needed() {
    for (file, function, reason) in LONG_FUNCTIONS {
        let text =
            fs::read_to_string(root().join("sim/src").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(!short_functions("", &text).iter().any(|finding| finding.contains(function)), "{file}: {function}");
        assert!(!reason.is_empty());
    }
    for (word, excepted, reason) in BANNED {
        for file in *excepted {
            let text =
                fs::read_to_string(root().join("sim/src").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text.contains(word) && !reason.is_empty(), "{file} does not use {word}");
        }
    }
}

#[test]
fn no_random_order_and_no_clock_of_the_machine() {
    hold(&sources(), banned_words);
    hold(&files(&root().join("crdts/src"), "rs"), banned_words);
}

#[test]
fn the_kernel_knows_no_floats() {
    hold(&files(&root().join("sim/src/kernel"), "rs"), floats);
    hold(&files(&root().join("sim/src/history"), "rs"), floats);
    hold(&files(&root().join("sim/src/protocols"), "rs"), floats);
    hold(&files(&root().join("sim/src/services"), "rs"), floats);
    hold(&files(&root().join("sim/src/faults"), "rs"), floats);
}

#[test]
fn nothing_is_left_for_later() {
    for folder in ["sim/src", "sim/tests", "crdts/src", "crdts/tests"] {
        hold(&files(&root().join(folder), "rs"), unfinished);
    }
}

#[test]
fn scenarios_tell_a_story_and_end_with_expectations() {
    hold(&files(&root().join("scenarios"), "toml"), scenario_layout);
}

#[test]
fn every_dependency_has_a_reason() {
    hold(&[root().join("Cargo.toml")], reasons);
}

#[test]
fn the_library_of_data_types_depends_on_serde_alone() {
    let text = fs::read_to_string(root().join("crdts/Cargo.toml")).expect("the manifest of crdts");
    let section = text.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names: Vec<&str> = section
        .take_while(|line| !line.starts_with('['))
        // What is optional comes with a feature that is off by default.
        .filter(|line| !line.contains("optional = true"))
        .filter_map(|line| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty() && !name.starts_with('#')))
        .collect();
    assert_eq!(names, ["serde"]);
    assert!(!text.contains("\ndefault ="), "a default feature brings dependencies in unseen");
}

/// What the rules must reject, and what they must let pass.
mod specimens {
    use super::*;

    #[test]
    fn levels_reject_upward_and_sideways_imports() {
        let findings = |name: &str, text: &str| levels(name, text).len();
        assert_eq!(findings("sim/src/kernel/time.rs", "use crate::engine::run_all;"), 1);
        assert_eq!(findings("sim/src/kernel/time.rs", "use crate::{\n  kernel::ids,\n  report::{text, json},\n};"), 2);
        assert_eq!(findings("sim/src/protocols/occ.rs", "fn f() { crate::services::lin_kv::new() }"), 1);
        assert_eq!(findings("sim/src/kernel/world/mod.rs", "use super::super::cli::Exit;"), 1);
        assert_eq!(findings("sim/src/kernel/mod.rs", "use super::{cli::Exit, kernel::ids};"), 1);
        assert_eq!(findings("sim/src/kernel/a.rs", "mod tests { use super::super::super::measure::Recorder; }"), 1);
        assert_eq!(findings("sim/src/surprise.rs", ""), 1);
        assert_eq!(findings("sim/src/engine/run.rs", "use crate::surprise::X;"), 1);
    }

    #[test]
    fn levels_let_downward_imports_and_the_module_itself_pass() {
        let text = r##"
            // use crate::cli;
            /// [`crate::report`]
            use super::{ids, world::{self, World}};
            use crate::{kernel::time::Time, history as past};
            pub(crate) fn f<'a>(x: &'a str) -> char { let _ = ("crate::cli", r#"crate::cli"#); '"' }
            mod tests { use super::*; use crate::measure::Recorder; }
        "##;
        assert_eq!(levels("sim/src/measure/recorder.rs", text), Vec::<String>::new());
    }

    #[test]
    fn long_files_are_found_and_tests_do_not_count() {
        let long = "x\n".repeat(FILE_LINES_MAX);
        assert_eq!(short_file("", &long).len(), 1);
        assert_eq!(short_file("", &format!("a\n#[cfg(test)]\nmod tests {{\n{long}}}")), Vec::<String>::new());
    }

    #[test]
    fn long_functions_are_found() {
        let body = "    g();\n".repeat(FUNCTION_LINES_MAX);
        assert_eq!(short_functions("", &format!("impl X {{\nfn f(&self) {{\n{body}}}\n}}")).len(), 1);
        assert_eq!(short_functions("", "trait T { fn f(&self); }\nfn g() { if a { b } }"), Vec::<String>::new());
    }

    #[test]
    fn banned_words_are_found_in_code_only() {
        assert_eq!(banned_words("a.rs", "use std::collections::HashMap;\nlet t = Instant::now();").len(), 2);
        assert_eq!(banned_words("a.rs", "let t: SystemTime; let s: HashSet<u8>;").len(), 2);
        assert_eq!(banned_words("a.rs", "// HashMap\nlet s = \"Instant\"; let hash_map = 1;"), Vec::<String>::new());
    }

    #[test]
    fn floats_are_found() {
        assert_eq!(floats("", "let x = y as f64;\nlet z: f32 = 1.0;").len(), 2);
        assert_eq!(floats("", "// f64\nlet half64 = 1;"), Vec::<String>::new());
    }

    #[test]
    fn marks_of_unfinished_work_are_found_in_comments_too() {
        for mark in UNFINISHED {
            assert_eq!(unfinished("", &format!("fn f() {{}}\n// {mark}\n")).len(), 1, "{mark}");
        }
    }

    #[test]
    fn scenarios_without_story_or_expectations_are_found() {
        assert_eq!(scenario_layout("", "name = \"x\"\n[cluster]\nnodes = 1\n").len(), 2);
        assert_eq!(scenario_layout("", "#:schema scenario.schema.json\nname = \"x\"\n[expect.a]\n").len(), 1);
        assert_eq!(scenario_layout("", "# A story of some length, told.\n[expect.a]\nx = 1\n[cluster]\n").len(), 1);
        assert_eq!(
            scenario_layout("", "# A story of some length, told.\nname = \"x\"\n[expect.a]\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn dependencies_without_a_reason_are_found() {
        let manifest = "[workspace.dependencies]\nown = { path = \"own\" }\n# Because.\na = \"1\"\nb = \"2\"\n\n[other]\nc = \"3\"\n";
        assert_eq!(reasons("", manifest), ["no reason: b = \"2\""]);
    }
}
