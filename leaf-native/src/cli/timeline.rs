//! `leaf timeline`: what happened, newest first.

use super::global::Global;
use crate::error::CliError;
use crate::output::{DIM, GOOD, HASH, STRONG, paint, tame};
use clap::Args;
use leaf_core::repo::{EventKind, TimelineEntry, TimelineQuery};
use leaf_core::time::Timestamp;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Digits of a hash that people read.
const HASH_DIGITS: usize = 10;

/// Show what happened, newest first
#[derive(Args, Debug)]
#[command(
    after_help = "Kinds: ci (check-ins), w (wiki), t (tickets), e (technotes), f (forum), g (tags).\n\nExamples:\n  leaf timeline -R project.fossil\n  leaf timeline --branch trunk -n 5\n  leaf timeline --kind w --since 2026-01-01 --json"
)]
pub(super) struct Timeline {
    /// How many entries
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
    /// Only this kind
    #[arg(long, value_parser = ["ci", "w", "t", "e", "f", "g"])]
    kind: Option<String>,
    /// Only check-ins of this branch
    #[arg(long)]
    branch: Option<String>,
    /// Only by this user
    #[arg(long)]
    by: Option<String>,
    /// Not before: YYYY-MM-DD[THH:MM:SS], UTC
    #[arg(long, value_parser = parse_date)]
    since: Option<Timestamp>,
    /// Not after
    #[arg(long, value_parser = parse_date)]
    until: Option<Timestamp>,
}

impl Timeline {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let repo = global.read()?;
        let query = TimelineQuery {
            kind: self.kind.as_deref().and_then(EventKind::parse),
            branch: self.branch.clone(),
            user: self.by.clone(),
            since: self.since,
            until: self.until,
            limit: self.limit,
            ..TimelineQuery::default()
        };
        let entries = repo.timeline(&query)?;
        let value = Value::Array(entries.iter().map(to_json).collect());
        global.out().answer(&value, |out| {
            let mut day = String::new();
            for entry in &entries {
                print(out, entry, &mut day)?;
            }
            Ok(())
        })
    }
}

fn to_json(entry: &TimelineEntry) -> Value {
    json!({
        "hash": entry.hash.to_string(),
        "kind": entry.kind.as_str(),
        "time": entry.time.iso_ms(),
        "user": entry.user,
        "comment": entry.comment,
        "branch": entry.branch,
        "tags": entry.tags,
        "is_leaf": entry.is_leaf,
        "is_merge": entry.is_merge,
        "is_closed": entry.is_closed,
        "is_private": entry.is_private,
    })
}

fn print(out: &mut dyn Write, entry: &TimelineEntry, day: &mut String) -> io::Result<()> {
    let iso = entry.time.iso();
    let (date, time) = iso.split_once('T').unwrap_or((&iso, ""));
    if date != day {
        writeln!(out, "{}", paint(STRONG, format!("=== {date} ===")))?;
        date.clone_into(day);
    }
    let hash: String = entry.hash.to_string().chars().take(HASH_DIGITS).collect();
    let mut marks: Vec<String> = Vec::new();
    for (is_so, mark) in [
        (entry.is_merge, "merge"),
        (entry.is_private, "private"),
        (entry.is_closed, "closed"),
        (entry.is_leaf && !entry.is_closed, "leaf"),
    ] {
        marks.extend(is_so.then(|| mark.to_owned()));
    }
    let branch = entry.branch.iter().map(|branch| paint(GOOD, tame(branch)));
    let labels: Vec<String> = branch
        .chain(marks.into_iter().map(|mark| paint(DIM, mark)))
        .collect();
    let comment = tame(&entry.comment).replace('\n', " ");
    writeln!(
        out,
        "{time} {} {comment} {} {}",
        paint(HASH, hash),
        paint(DIM, tame(&entry.user)),
        labels.join(" ")
    )
}

/// A date, or a date and a time.
fn parse_date(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00")
    } else {
        text.to_owned()
    };
    Timestamp::parse_iso(whole.as_bytes())
        .ok_or_else(|| "expected YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS".to_owned())
}
