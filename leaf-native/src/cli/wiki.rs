//! `leaf wiki`: pages.

use super::files::give_content;
use super::global::{Global, Who, read_input};
use crate::error::{CliError, Exit};
use crate::output::{DIM, GOOD, HASH, paint, tame};
use clap::{Args, Subcommand};
use leaf_core::repo::NewWikiPage;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show and change wiki pages
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf wiki -R project.fossil\n  leaf wiki cat Home\n  leaf wiki put Home home.md --mimetype text/x-markdown\n  echo 'Hello' | leaf wiki put Greeting -"
)]
pub(super) struct Wiki {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List pages
    List,
    /// Print a page
    Cat {
        /// Its title
        title: String,
    },
    /// Write a page
    Put {
        /// Its title
        title: String,
        /// The text; `-`: standard input
        file: PathBuf,
        /// Its format; default: Fossil's wiki format
        #[arg(long)]
        mimetype: Option<String>,
        #[command(flatten)]
        who: Who,
    },
}

impl Wiki {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        match &self.action {
            None | Some(Action::List) => list(global),
            Some(Action::Cat { title }) => {
                let page = global.read()?.wiki_page(title)?;
                let (_, page) = page.ok_or_else(|| {
                    CliError::new(Exit::No, format!("there is no page {title}"))
                        .next_step("`leaf wiki` lists them")
                })?;
                give_content(global, page.text.as_bytes())
            }
            Some(Action::Put {
                title,
                file,
                mimetype,
                who,
            }) => {
                let text = read_input(file)?;
                let author = who.author()?;
                let new = NewWikiPage {
                    title,
                    text: &text,
                    mimetype: mimetype.as_deref(),
                };
                let (_, hash) = global.write()?.write(|tx| tx.wiki_put(&new, &author))?;
                global
                    .out()
                    .answer(&json!({ "title": title, "hash": hash.to_string() }), |out| {
                        writeln!(
                            out,
                            "{} {} as {}",
                            paint(GOOD, "written"),
                            tame(title),
                            paint(HASH, hash)
                        )
                    })
            }
        }
    }
}

fn list(global: &Global) -> Result<(), CliError> {
    let pages = global.read()?.wiki_pages()?;
    let pages: Vec<_> = pages.iter().filter(|page| !page.is_deleted).collect();
    let value = pages
        .iter()
        .map(|page| json!({ "title": page.title, "time": page.time.iso() }));
    global.out().answer(&Value::Array(value.collect()), |out| {
        pages
            .iter()
            .try_for_each(|page| writeln!(out, "{} {}", paint(DIM, page.time), tame(&page.title)))
    })
}
