//! Every command of the README works as it stands there.

use std::{fs, path::Path};

use assert_cmd::Command;

/// The arguments of the commands in the README's `sh` blocks that start this program.
fn commands(readme: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in readme.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            in_shell = !in_shell && language == "sh";
            continue;
        }
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let arguments = line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("sim "));
        if let Some(arguments) = arguments.filter(|_| in_shell) {
            commands.push(words(arguments));
        }
    }
    commands
}

/// The words of a command line; quotes hold words together, and `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut quote, mut between) = (None, true);
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '#' && between => break,
            None if c.is_whitespace() => between = true,
            _ => {
                if std::mem::take(&mut between) {
                    words.push(String::new());
                }
                if quote.is_none() && (c == '"' || c == '\'') {
                    quote = Some(c);
                } else {
                    words.last_mut().expect("a word was begun").push(c);
                }
            }
        }
    }
    words
}

#[test]
fn commands_are_found_in_shell_blocks_only() {
    let readme = "sim no\n```sh\n$ sim run a.toml --set 'x=1 s'  # why\ncargo run --release -- list\nls\n```\n```toml\nsim no\n```\n";
    assert_eq!(commands(readme), [vec!["run", "a.toml", "--set", "x=1 s"], vec!["list"]]);
}

#[test]
fn every_command_of_the_readme_succeeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("sim is a member of the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let commands = commands(&readme);
    assert!(!commands.is_empty(), "the README shows no command");
    let place = tempfile::tempdir().expect("a temporary directory");
    let scenarios = place.path().join("scenarios");
    fs::create_dir(&scenarios).expect("a folder in it");
    for entry in fs::read_dir(root.join("scenarios")).expect("the folder of scenarios") {
        let path = entry.expect("a readable entry").path();
        if path.is_file() {
            fs::copy(&path, scenarios.join(path.file_name().expect("a file has a name"))).expect("a copy");
        }
    }
    let nodes = place.path().join("sim/tests/nodes");
    fs::create_dir_all(&nodes).expect("a folder for nodes");
    for entry in fs::read_dir(root.join("sim/tests/nodes")).expect("the folder of nodes") {
        let path = entry.expect("a readable entry").path();
        fs::copy(&path, nodes.join(path.file_name().expect("a file has a name"))).expect("a copy");
    }
    for arguments in commands {
        let interpreter = arguments.iter().skip_while(|word| *word != "--").nth(1).filter(|word| *word != "sim");
        let is_missing = |program: &String| std::process::Command::new(program).arg("--version").output().is_err();
        if let Some(program) = interpreter.filter(|program| is_missing(program)) {
            eprintln!("skipped: there is no {program} here for {arguments:?}");
            continue;
        }
        Command::cargo_bin("sim").expect("the program").args(&arguments).current_dir(place.path()).assert().success();
    }
}

/// The commands of the tutorial, each with the lines that are shown of what it prints.
fn shown(page: &str) -> Vec<(Vec<String>, Vec<&str>)> {
    let mut shown: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
    let mut language = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), language) {
            (Some(_), Some(_)) => language = None,
            (Some(opened), None) => language = Some(opened),
            (None, Some("sh")) => {
                let arguments = line.strip_prefix("sim ").expect("commands of the tutorial are of this program");
                shown.push((words(arguments), Vec::new()));
            }
            (None, Some("text")) => shown.last_mut().expect("a command comes first").1.push(line.trim_end()),
            _ => {}
        }
    }
    shown
}

#[test]
fn the_tutorial_shows_what_its_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("sim is a member of the workspace");
    let page = fs::read_to_string(root.join("scenarios/tutorial/README.md")).expect("the tutorial");
    let chapters = shown(&page);
    assert!(chapters.len() >= 8 && chapters.iter().filter(|(_, lines)| lines.len() > 2).count() >= 7);
    for (mut arguments, lines) in chapters {
        if arguments[0] == "run" {
            arguments.push("--no-files".to_owned());
        }
        let run = Command::cargo_bin("sim").expect("the program").args(&arguments).current_dir(root).assert().success();
        let printed = String::from_utf8(run.get_output().stdout.clone()).expect("text");
        for line in lines {
            let is_printed = printed.lines().any(|printed| printed.trim_end() == line);
            assert!(is_printed, "{arguments:?} does not print: {line}");
        }
    }
}
