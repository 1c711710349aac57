//! `leaf query`: reading with SQL.

use super::global::Global;
use crate::error::CliError;
use crate::output::{DIM, paint, tame};
use clap::Args;
use leaf_core::id::to_hex;
use leaf_core::repo::{QueryValue, RepoError};
use serde_json::{Map, Value};
use std::ops::ControlFlow;

/// Read the repository with SQL; nothing can be changed
#[derive(Args, Debug)]
#[command(
    after_help = "Columns are separated by tabs; blobs are shown as hex.\n\nExamples:\n  leaf query 'SELECT count(*) FROM blob' -R project.fossil\n  leaf query --json \"SELECT login, cap FROM user\"\n  leaf query -n 5 'SELECT uuid, size FROM blob ORDER BY size DESC'"
)]
pub(super) struct Query {
    /// One SELECT statement
    sql: String,
    /// Rows at most
    #[arg(short = 'n', long, default_value_t = 1000)]
    limit: usize,
}

impl Query {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let repo = global.read()?;
        let mut columns: Vec<String> = Vec::new();
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut is_cut = false;
        let read = repo.query(&self.sql, &mut |names, cells| {
            if columns.is_empty() {
                columns = names.iter().map(|name| (*name).to_owned()).collect();
            }
            if rows.len() == self.limit {
                is_cut = true;
                return ControlFlow::Break(());
            }
            rows.push(cells.iter().map(to_json).collect());
            ControlFlow::Continue(())
        });
        read.map_err(|error: RepoError| {
            CliError::from(error)
                .with_exit(crate::error::Exit::Usage)
                .during("the query failed")
        })?;
        let objects = rows.iter().map(|row| {
            let pairs = columns.iter().cloned().zip(row.iter().cloned());
            Value::Object(pairs.collect::<Map<_, _>>())
        });
        global.out().answer(&Value::Array(objects.collect()), |out| {
            if !rows.is_empty() && !global.out().quiet {
                writeln!(out, "{}", paint(DIM, columns.join("\t")))?;
            }
            rows.iter()
                .try_for_each(|row| writeln!(out, "{}", row.iter().map(text).collect::<Vec<_>>().join("\t")))
        })?;
        if is_cut {
            global.out().note(format!(
                "only the first {} rows are shown; more with -n",
                self.limit
            ));
        }
        Ok(())
    }
}

fn to_json(cell: &QueryValue<'_>) -> Value {
    match cell {
        QueryValue::Null => Value::Null,
        QueryValue::Integer(number) => Value::from(*number),
        QueryValue::Real(number) => Value::from(*number),
        QueryValue::Text(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        QueryValue::Blob(bytes) => Value::from(to_hex(bytes)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => tame(text),
        other => other.to_string(),
    }
}
