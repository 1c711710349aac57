//! `leaf verify` and `leaf rebuild`: every artifact checked against its name, on all cores.

use super::global::Global;
use crate::check::check_all;
use crate::disk::{self, Access};
use crate::error::{CliError, Exit};
use crate::output::{BAD, GOOD, HASH, count, human_bytes, paint};
use crate::progress::{Progress, rate};
use clap::Args;
use leaf_core::repo::{BadRow, Checked, Fault, RepoError};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

/// Damaged artifacts that are listed one by one.
const LISTED_MAX: usize = 20;

/// Check every artifact against its name, and the file itself
#[derive(Args, Debug)]
#[command(
    after_help = "Ends with 1 when something is damaged.\n\nExamples:\n  leaf verify project.fossil\n  leaf verify --json -R project.fossil"
)]
pub(super) struct Verify {
    /// The repository, instead of -R
    file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let file = global.file(self.file.as_deref())?;
        let begin = Instant::now();
        let repo = disk::open(file, Access::Read)?;
        let checked = check_all(&repo, file, "verifying", global.out(), disk::open)?;
        let sqlite = repo.integrity()?;
        let phantoms = repo.phantom_count()?;
        let (artifacts, bytes) = sums(&checked);
        let bad: Vec<&BadRow> = checked.iter().flat_map(|part| &part.bad).collect();
        let damaged = bad.iter().map(|row| row.rid).collect::<BTreeSet<_>>().len();
        let is_sound = bad.is_empty() && sqlite.is_empty();
        let value = json!({
            "sound": is_sound,
            "artifacts": artifacts,
            "bytes": bytes,
            "phantoms": phantoms,
            "bad": bad.iter().map(|row| json!({
                "rid": row.rid.0, "hash": row.hash.to_string(), "why": why(row.why)
            })).collect::<Vec<_>>(),
            "sqlite": sqlite,
            "seconds": begin.elapsed().as_secs_f64(),
        });
        global.out().answer(&value, |out| {
            for row in bad.iter().take(LISTED_MAX) {
                writeln!(
                    out,
                    "{} {} {}",
                    paint(BAD, "bad"),
                    paint(HASH, row.hash),
                    why(row.why)
                )?;
            }
            if bad.len() > LISTED_MAX {
                writeln!(out, "and {} more", bad.len() - LISTED_MAX)?;
            }
            for line in &sqlite {
                writeln!(out, "{} {line}", paint(BAD, "file"))?;
            }
            let speed = rate(bytes, begin.elapsed());
            let what = format!(
                "{} of {}{speed}",
                count(artifacts, "artifact"),
                human_bytes(bytes)
            );
            if phantoms > 0 {
                writeln!(out, "{} known by name only", count(phantoms, "artifact"))?;
            }
            if is_sound {
                writeln!(out, "{}: {what}", paint(GOOD, "sound"))
            } else {
                writeln!(out, "{}: {} of {what}", paint(BAD, "damaged"), damaged)
            }
        })?;
        if is_sound {
            return Ok(());
        }
        Err(CliError::new(Exit::No, format!("{} is damaged", file.display()))
            .next_step("clone it again, or pull from a peer that has what is damaged"))
    }
}

/// Make the derived tables anew (timeline, files, tags, ...)
#[derive(Args, Debug)]
#[command(
    after_help = "Every artifact is verified first; nothing is changed when one is damaged.\n\nExamples:\n  leaf rebuild project.fossil"
)]
pub(super) struct Rebuild {
    /// The repository, instead of -R
    file: Option<PathBuf>,
}

impl Rebuild {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let file = global.file(self.file.as_deref())?;
        let begin = Instant::now();
        let mut repo = disk::open(file, Access::Write)?;
        let checked = check_all(&repo, file, "verifying", global.out(), disk::open)?;
        let (artifacts, bytes) = sums(&checked);
        let progress = Progress::open_ended(global.out(), "linking artifacts");
        let rebuilt = repo.write(|tx| tx.rebuild(checked));
        progress.finish();
        rebuilt.map_err(not_rebuilt)?;
        let value =
            json!({ "artifacts": artifacts, "bytes": bytes, "seconds": begin.elapsed().as_secs_f64() });
        global.out().answer(&value, |out| {
            let speed = rate(bytes, begin.elapsed());
            writeln!(
                out,
                "{} from {} of {}{speed}",
                paint(GOOD, "rebuilt"),
                count(artifacts, "artifact"),
                human_bytes(bytes)
            )
        })
    }
}

/// Artifacts and bytes of all parts.
pub(super) fn sums(checked: &[Checked]) -> (u64, u64) {
    checked.iter().fold((0, 0), |(artifacts, bytes), part| {
        (artifacts + part.artifacts, bytes + part.bytes)
    })
}

/// Damage that was found here is nobody else's.
fn not_rebuilt(error: RepoError) -> CliError {
    if !matches!(error, RepoError::WrongContent { .. }) {
        return error.into();
    }
    CliError::from(error)
        .with_exit(Exit::No)
        .during("nothing was rebuilt")
        .next_step("`leaf verify` lists what is damaged")
}

/// What is wrong, in a few words.
fn why(fault: Fault) -> &'static str {
    match fault {
        Fault::Cycle => "its deltas form a circle or hang on nothing",
        Fault::Delta => "its delta does not apply",
        Fault::Hash => "its content has another hash",
        Fault::Size => "its size is another one",
        Fault::Zblob => "its compressed bytes cannot be expanded",
        _ => "damaged",
    }
}
