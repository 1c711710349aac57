//! `leaf artifact`: one artifact, as it is.

use super::files::give_content;
use super::global::{Global, resolve};
use crate::error::{CliError, Exit};
use clap::Args;
use leaf_core::repo::NameScope;
use serde_json::json;

/// Print an artifact as it is
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf artifact trunk -R project.fossil\n  leaf artifact 3f2a91c0 > file\n  leaf artifact --about tip --json"
)]
pub(super) struct Artifact {
    /// Hash prefix, tag, branch, date
    name: String,
    /// Say what it is instead of printing it
    #[arg(long)]
    about: bool,
}

impl Artifact {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let repo = global.read()?;
        let rid = resolve(&repo, &self.name, NameScope::Any)?;
        let content = repo.content(rid)?.ok_or_else(|| {
            CliError::new(Exit::No, format!("the content of {} is not here", self.name))
                .next_step("`leaf pull` fetches it, if the server has it")
        })?;
        if !self.about {
            return give_content(global, &content);
        }
        let hash = repo.hash_of(rid)?.to_string();
        let kind =
            leaf_core::format::artifact::Artifact::parse(&content).map_or("file", |artifact| kind(&artifact));
        let (is_private, bytes) = (repo.is_private(rid)?, content.len());
        let tags = repo.symbolic_tags(rid)?;
        let value =
            json!({ "hash": hash, "kind": kind, "bytes": bytes, "tags": tags, "is_private": is_private });
        global.out().answer(&value, |out| {
            writeln!(out, "{hash}")?;
            writeln!(
                out,
                "{kind}, {bytes} bytes{}",
                if is_private { ", private" } else { "" }
            )?;
            if tags.is_empty() {
                Ok(())
            } else {
                writeln!(out, "tags: {}", tags.join(", "))
            }
        })
    }
}

fn kind(artifact: &leaf_core::format::artifact::Artifact) -> &'static str {
    use leaf_core::format::artifact::Artifact;
    match artifact {
        Artifact::Manifest(_) => "check-in",
        Artifact::Cluster(_) => "cluster",
        Artifact::Control(_) => "tag",
        Artifact::Wiki(_) => "wiki",
        Artifact::Ticket(_) => "ticket",
        Artifact::Attachment(_) => "attachment",
        Artifact::TechNote(_) => "technote",
        Artifact::Forum(_) => "forum",
    }
}
