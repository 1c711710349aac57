//! A row: its values, the hash of its key, its JSON.
//!
//! Source: libfossil `internal/repo/tablesync.go` `PKHash()`, `IsTombstone()`; `internal/sync/handler_tablesync.go`
//! `verifyXRowPKHash()`.

use super::definition::{BadTable, Column, TableDef};
use super::value::TableValue;
use crate::id::ArtifactHash;
use crate::json::{self, Value, Writer};
use sha1::{Digest as _, Sha1};

/// A row of a synced table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// One for each column.
    pub values: Vec<TableValue>,
    /// When it was written. Units: seconds since 1970.
    pub mtime: i64,
    /// Who wrote it first; empty where rows have no owners, or when that is not known.
    pub owner: String,
}

impl TableDef {
    /// Whether `values` can be a row.
    pub(super) fn check_row(&self, values: &[TableValue]) -> Result<(), BadTable> {
        let is_row = values.len() == self.columns.len()
            && values
                .iter()
                .zip(&self.columns)
                .all(|(value, column)| value.fits(column.kind, column.key));
        is_row.then_some(()).ok_or(BadTable::Row)
    }

    /// A deleted row holds its key and nothing else.
    pub(super) fn is_deleted(&self, values: &[TableValue]) -> bool {
        !self.is_keys_only()
            && values
                .iter()
                .zip(&self.columns)
                .all(|(value, column)| column.key || *value == TableValue::Null)
    }

    /// The row as it is once it is deleted.
    pub(super) fn deleted(&self, values: &[TableValue]) -> Vec<TableValue> {
        let both = self.columns.iter().zip(values);
        both.map(|(column, value)| match column.key {
            true => value.clone(),
            false => TableValue::Null,
        })
        .collect()
    }

    /// The columns, or those of the key, with their values, by name.
    fn by_name<'v>(&'v self, values: &'v [TableValue], keys_only: bool) -> Vec<(&'v Column, &'v TableValue)> {
        let both = self.columns.iter().zip(values);
        let mut members: Vec<_> = both.filter(|(column, _)| column.key || !keys_only).collect();
        members.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        members
    }

    /// The name of a row: a hash of its key columns.
    pub(super) fn key_of(&self, values: &[TableValue]) -> ArtifactHash {
        let mut sum = Sha1::new();
        for (at, (column, value)) in self.by_name(values, true).into_iter().enumerate() {
            if at > 0 {
                sum.update([0]);
            }
            sum.update(&column.name);
            sum.update(b"=");
            sum.update(value.to_key());
        }
        ArtifactHash::Sha1(sum.finalize().into())
    }

    /// What the row holds, in short; 0 for a deleted one.
    pub(super) fn sum_of(&self, values: &[TableValue]) -> u64 {
        if self.is_deleted(values) {
            return 0;
        }
        let digest = Sha1::digest(self.row_json(values, false, None));
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first).max(1)
    }

    /// A row as JSON, its members by name.
    pub(super) fn row_json(&self, values: &[TableValue], keys_only: bool, owner: Option<&str>) -> Vec<u8> {
        let mut json = Writer::default();
        if let Some(owner) = owner {
            json.text("_owner", owner);
        }
        for (column, value) in self.by_name(values, keys_only) {
            value.to_json(&column.name, &mut json);
        }
        json.end()
    }

    /// The values of a row, and its owner if it says one. Columns that it does not name hold nothing.
    pub(super) fn read_row(&self, json: &[u8]) -> Result<(Vec<TableValue>, Option<String>), BadTable> {
        let mut values = vec![TableValue::Null; self.columns.len()];
        let mut owner = None;
        for (name, value) in json::read(json).ok_or(BadTable::Row)? {
            if name == "_owner" {
                if let Value::Text(text) = value {
                    owner = Some(text);
                }
                continue;
            }
            let place = self
                .columns
                .iter()
                .zip(&mut values)
                .find(|(column, _)| column.name == name);
            let (column, place) = place.ok_or(BadTable::Row)?;
            *place = TableValue::from_json(value, column.kind).ok_or(BadTable::Row)?;
        }
        self.check_row(&values)?;
        Ok((values, owner))
    }
}
