//! `leaf tag`: names and properties on check-ins.

use super::global::{Global, Who, resolve};
use crate::error::CliError;
use crate::output::{DIM, GOOD, HASH, paint, tame};
use clap::{Args, Subcommand};
use leaf_core::format::artifact::TagKind;
use leaf_core::repo::{NameScope, NewTag};
use serde_json::{Value, json};

/// Show and change tags
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf tag -R project.fossil\n  leaf tag on trunk\n  leaf tag add release-1.0 trunk\n  leaf tag cancel release-1.0 trunk"
)]
pub(super) struct Tag {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List symbolic tags
    List {
        /// Properties of Fossil's own, too
        #[arg(long)]
        raw: bool,
    },
    /// List the tags on an artifact
    On {
        /// Hash prefix, tag, branch, date
        name: String,
    },
    /// Put a tag on a check-in
    Add {
        /// The tag
        tag: String,
        /// Hash prefix, tag, branch, date
        checkin: String,
        /// With a value
        value: Option<String>,
        /// On its descendants, too
        #[arg(long)]
        propagate: bool,
        /// A property of Fossil's own, such as `bgcolor` or `closed`, not a symbolic name
        #[arg(long)]
        raw: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Take a tag off a check-in
    Cancel {
        /// The tag
        tag: String,
        /// Hash prefix, tag, branch, date
        checkin: String,
        /// A property of Fossil's own
        #[arg(long)]
        raw: bool,
        #[command(flatten)]
        who: Who,
    },
}

impl Tag {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None => list(global, false),
            Some(Action::List { raw }) => list(global, *raw),
            Some(Action::On { name }) => on(global, name),
            Some(Action::Add {
                tag,
                checkin,
                value,
                propagate,
                raw,
                who,
            }) => {
                let kind = if *propagate {
                    TagKind::Propagate
                } else {
                    TagKind::Add
                };
                put(
                    global,
                    &full_name(tag, *raw),
                    checkin,
                    kind,
                    value.as_deref(),
                    who,
                )
            }
            Some(Action::Cancel {
                tag,
                checkin,
                raw,
                who,
            }) => put(global, &full_name(tag, *raw), checkin, TagKind::Cancel, None, who),
        }
    }
}

/// How artifacts spell the name of a tag.
fn full_name(tag: &str, raw: bool) -> String {
    if raw { tag.to_owned() } else { format!("sym-{tag}") }
}

fn list(global: &Global, raw: bool) -> Result<(), CliError> {
    let mut tags = global.read()?.tags()?;
    if !raw {
        tags.retain_mut(|tag| match tag.name.strip_prefix("sym-").map(str::to_owned) {
            Some(name) => {
                tag.name = name;
                true
            }
            None => false,
        });
    }
    let value = tags
        .iter()
        .map(|tag| json!({ "name": tag.name, "count": tag.count }));
    global.out().answer(&Value::Array(value.collect()), |out| {
        tags.iter()
            .try_for_each(|tag| writeln!(out, "{} {}", tame(&tag.name), paint(DIM, tag.count)))
    })
}

fn on(global: &Global, name: &str) -> Result<(), CliError> {
    let repo = global.read()?;
    let rid = resolve(&repo, name, NameScope::Any)?;
    let tags = repo.tags_on(rid)?;
    let value = tags.iter().map(|tag| {
        json!({
            "name": tag.name,
            "value": tag.value,
            "propagates": tag.propagates,
            "inherited": tag.inherited,
            "time": tag.time.iso(),
        })
    });
    global.out().answer(&Value::Array(value.collect()), |out| {
        for tag in &tags {
            let value = tag
                .value
                .as_ref()
                .map(|value| format!("={}", tame(value)))
                .unwrap_or_default();
            let how = if tag.inherited {
                "inherited"
            } else if tag.propagates {
                "propagates"
            } else {
                ""
            };
            writeln!(out, "{}{value} {}", tame(&tag.name), paint(DIM, how))?;
        }
        Ok(())
    })
}

fn put(
    global: &Global,
    name: &str,
    checkin: &str,
    kind: TagKind,
    value: Option<&str>,
    who: &Who,
) -> Result<(), CliError> {
    let mut repo = global.write()?;
    let target = resolve(&repo, checkin, NameScope::Any)?;
    let author = who.author()?;
    let (_, hash) = repo.write(|tx| {
        tx.tag(
            &NewTag {
                target,
                name,
                kind,
                value,
            },
            &author,
        )
    })?;
    let done = if kind == TagKind::Cancel {
        "cancelled"
    } else {
        "tagged"
    };
    global
        .out()
        .answer(&json!({ "hash": hash.to_string(), "done": done }), |out| {
            writeln!(
                out,
                "{} {} by {}",
                paint(GOOD, done),
                tame(checkin),
                paint(HASH, hash)
            )
        })
}
