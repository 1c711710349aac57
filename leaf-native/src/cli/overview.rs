//! `leaf` alone: what this is and where to begin.

use super::global::Global;
use crate::error::CliError;
use crate::output::{DIM, STRONG, paint};
use serde_json::json;

const GROUPS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Begin",
        &[
            (
                "leaf clone https://fossil-scm.org/home fossil.fossil",
                "fetch a repository, verified",
            ),
            ("leaf new project.fossil", "make an empty one"),
            ("leaf serve project.fossil", "let others clone it"),
        ],
    ),
    (
        "Keep two sides equal",
        &[
            (
                "leaf sync -R project.fossil",
                "both ways, with where it was cloned from",
            ),
            ("leaf pull URL", "only fetch"),
            ("leaf push URL", "only send"),
        ],
    ),
    (
        "Look and change",
        &[
            ("leaf timeline", "what happened"),
            ("leaf ls trunk", "files of a check-in"),
            ("leaf cat trunk README.md", "one of them"),
            ("leaf commit -m 'Why' README.md", "put files into a branch"),
            (
                "leaf wiki, uv, tag, branch, user, config",
                "the rest of a repository",
            ),
        ],
    ),
    (
        "Trust",
        &[
            (
                "leaf verify project.fossil",
                "check every artifact against its name",
            ),
            ("leaf rebuild project.fossil", "make the derived tables anew"),
            ("leaf query 'SELECT ..'", "read with SQL"),
        ],
    ),
];

pub(super) fn run(global: &Global) -> Result<(), CliError> {
    let value = json!({ "program": "leaf", "version": env!("CARGO_PKG_VERSION") });
    global.out().answer(&value, |out| {
        writeln!(out, "{} {}", paint(STRONG, "leaf"), env!("CARGO_PKG_VERSION"))?;
        writeln!(
            out,
            "Fossil repositories: stock `fossil` cannot tell them, or this server, from its own."
        )?;
        for (title, commands) in GROUPS {
            writeln!(out, "\n{}", paint(STRONG, title))?;
            for (command, what) in commands {
                writeln!(out, "  {command:<54} {}", paint(DIM, what))?;
            }
        }
        writeln!(
            out,
            "\n`leaf COMMAND --help` has examples. Name the repository with -R FILE or $LEAF_REPOSITORY."
        )
    })
}
