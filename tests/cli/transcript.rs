//! Runs the transcripts beside this file: what a reader types, and what the program answers.
//!
//! In blocks marked `console`, a line `$ COMMAND` is run by `sh` in a folder of the transcript's own, with `leaf`
//! on its path; a line `? CODE` is the exit code if not 0; the other lines are both outputs. `[..]` stands for any
//! text within a line, `...` alone for any lines. `$SERVER` is the URL of a `leaf serve` of that folder.

use leaf_tests::leaf::{LeafServer, leaf_program};
use leaf_tests::scratch::Scratch;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One command and what is expected of it.
#[derive(Debug, Default)]
struct Step {
    command: String,
    code: i32,
    output: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_console = false;
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            is_console = kind == "console";
        } else if !is_console {
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                ..Step::default()
            });
        } else {
            let step = steps.last_mut().expect("a command comes before its output");
            match line.strip_prefix("? ") {
                Some(code) => step.code = code.parse().expect("an exit code"),
                None => step.output.push(line.to_owned()),
            }
        }
    }
    steps
}

/// Whether `line` is `pattern`, where `[..]` stands for anything.
fn line_fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether `lines` are `patterns`, where `...` stands for any lines.
fn lines_fit(patterns: &[String], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skip| lines_fit(rest, &lines[skip..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| line_fits(first, line) && lines_fit(rest, others)),
    }
}

#[track_caller]
fn run(name: &str) {
    let text = std::fs::read_to_string(folder().join(name)).expect("the transcript");
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("work")).expect("a folder");
    let server = LeafServer::start(&scratch, &scratch.path("work"));
    let bin = leaf_program().parent().expect("the program is in a folder");
    let path = std::env::join_paths(std::iter::once(bin.to_owned()).chain(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    )));
    let path = path.expect("a path of folders");
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{name} has no commands");
    for step in steps {
        let mut command = scratch.command("sh");
        command.arg("-c").arg(format!("exec 2>&1; {}", step.command));
        command.current_dir(scratch.path("work"));
        command
            .env("PATH", &path)
            .env("SERVER", server.url().trim_end_matches('/'))
            .env("NO_COLOR", "1");
        let said = scratch.run(command);
        let stdout = said.stdout.replace(&server.address(), "$SERVER");
        let lines: Vec<&str> = stdout.lines().collect();
        let mut report = String::new();
        if said.code != Some(step.code) {
            writeln!(report, "exit code {:?}, expected {}", said.code, step.code).expect("a String takes it");
        }
        if !lines_fit(&step.output, &lines) {
            write!(
                report,
                "it said:\n{stdout}\nexpected:\n{}\n",
                step.output.join("\n")
            )
            .expect("a String takes it");
        }
        assert!(report.is_empty(), "{name}: $ {}\n{report}", step.command);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cli")
}

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            run(concat!(stringify!($name), ".md"));
        })*

        #[test]
        fn no_transcript_is_forgotten() {
            let mut listed = vec![$(concat!(stringify!($name), ".md").to_owned()),*];
            listed.sort();
            let entries = std::fs::read_dir(folder()).expect("the folder of transcripts").flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let mut there: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
            there.sort();
            assert_eq!(listed, there);
        }
    };
}

transcripts!(begin, sync, history, look, trust, exit_codes);

#[test]
fn patterns_fit_what_they_should_and_nothing_else() {
    assert!(line_fits("a [..] c", "a b b c") && line_fits("[..]", "") && line_fits("a[..]", "ab"));
    assert!(!line_fits("a [..] c", "a b") && !line_fits("a", "ab") && !line_fits("", "a"));
    let patterns = ["a".to_owned(), "...".to_owned(), "c".to_owned()];
    assert!(lines_fit(&patterns, &["a", "b", "b", "c"]) && lines_fit(&patterns, &["a", "c"]));
    assert!(!lines_fit(&patterns, &["a", "b"]) && !lines_fit(&patterns, &["b", "c"]));
}
