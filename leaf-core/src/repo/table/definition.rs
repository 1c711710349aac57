//! What a synced table looks like: its columns, and who may change a row.
//!
//! A name is checked here before it comes near SQL, and stands there in quotes all the same.
//!
//! Source: libfossil `internal/repo/tablesync.go` `TableDef`, `ValidateTableName()`.

use crate::format::word::is_word;
use crate::json::{self, Value, Writer};
use crate::limits::Limits;
use crate::repo::RepoError;

/// Why a table or a row is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadTable {
    /// The definition is not the JSON of one.
    #[error("not the definition of a table")]
    Definition,
    /// It is defined here in another way.
    #[error("the table is defined otherwise here")]
    Differs,
    /// The key columns do not have the hash that the row came under.
    #[error("the row does not have the key that it came under")]
    Key,
    /// All columns are key columns, so that nothing tells a deleted row.
    #[error("no row of this table can be deleted, as all its columns are keys")]
    KeysOnly,
    /// A name that a table or column cannot have.
    #[error("not a name for a table or a column of one")]
    Name,
    /// No column is a key.
    #[error("a table needs a key column")]
    NoKey,
    /// The row belongs to somebody else.
    #[error("the row belongs to somebody else")]
    NotYours,
    /// The values are not those of a row of this table.
    #[error("not a row of this table")]
    Row,
    /// A rule that is not known.
    #[error("no such rule for conflicts: mtime-wins, self-write or owner-write")]
    Rule,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// Bytes; Base64 on the wire.
    Blob,
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Real,
    /// Text.
    Text,
}

impl ColumnKind {
    /// `blob`, `integer`, `real`, `text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Text => "text",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Blob, Self::Integer, Self::Real, Self::Text]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// Lower-case letters, digits, `_`.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it is part of what tells a row from others.
    pub key: bool,
}

/// Who may change a row, and which of two versions wins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Conflict {
    /// Anybody; the later one.
    MtimeWins,
    /// Only the user who wrote it first; the later one.
    OwnerWrite,
    /// Only the user who wrote it first, or anybody if that was nobody; the later one.
    SelfWrite,
}

impl Conflict {
    /// `mtime-wins`, `owner-write`, `self-write`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MtimeWins => "mtime-wins",
            Self::OwnerWrite => "owner-write",
            Self::SelfWrite => "self-write",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::MtimeWins, Self::OwnerWrite, Self::SelfWrite]
            .into_iter()
            .find(|conflict| conflict.name() == name)
    }
}

/// What a table looks like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableDef {
    /// In their order.
    pub columns: Vec<Column>,
    /// The rule.
    pub conflict: Conflict,
}

/// A table of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// Lower-case letters, digits, `_`.
    pub name: String,
    /// What it looks like.
    pub def: TableDef,
    /// When it was defined. Units: seconds since 1970.
    pub mtime: i64,
}

impl TableDef {
    /// The definition that [`json`](Self::json) gives.
    ///
    /// # Errors
    ///
    /// [`BadTable`]; what it says of names and numbers is not checked yet.
    pub fn read(json: &[u8]) -> Result<Self, BadTable> {
        let (mut columns, mut conflict) = (None, None);
        for (key, value) in json::read(json).ok_or(BadTable::Definition)? {
            match (key.as_str(), value) {
                ("columns", Value::Other(list)) => columns = Some(read_columns(&list)?),
                ("conflict", Value::Text(name)) => {
                    conflict = Some(Conflict::named(&name).ok_or(BadTable::Rule)?);
                }
                _ => {}
            }
        }
        Ok(Self {
            columns: columns.ok_or(BadTable::Definition)?,
            conflict: conflict.ok_or(BadTable::Rule)?,
        })
    }

    /// The definition as it travels: byte for byte what the reference writes.
    pub fn json(&self) -> Vec<u8> {
        let mut json = Writer::default();
        json.raw("columns", &write_columns(&self.columns));
        json.text("conflict", self.conflict.name());
        json.end()
    }

    /// Whether rows have owners.
    pub fn is_owned(&self) -> bool {
        self.conflict != Conflict::MtimeWins
    }

    /// Whether all columns are keys.
    pub fn is_keys_only(&self) -> bool {
        self.columns.iter().all(|column| column.key)
    }

    /// Whether a table of this name can be made of it.
    pub(super) fn check(&self, name: &str, limits: &Limits) -> Result<(), RepoError> {
        if !is_word(name.as_bytes()) || name.starts_with("x_") || RESERVED.contains(&name) {
            return Err(BadTable::Name.into());
        }
        if self.columns.len() > limits.table_columns_max {
            return Err(RepoError::Limit {
                what: "columns of a table",
                value: self.columns.len() as u64,
                max: limits.table_columns_max as u64,
            });
        }
        for (at, column) in self.columns.iter().enumerate() {
            let is_twice = self
                .columns
                .iter()
                .skip(at + 1)
                .any(|other| other.name == column.name);
            if is_twice || !is_word(column.name.as_bytes()) || OURS.contains(&column.name.as_str()) {
                return Err(BadTable::Name.into());
            }
        }
        match self.columns.iter().any(|column| column.key) {
            true => Ok(()),
            false => Err(BadTable::NoKey.into()),
        }
    }

    /// The columns that `other` has beyond these, if that is all in which it differs and none is a key.
    pub(super) fn added_by<'d>(&self, other: &'d Self) -> Option<&'d [Column]> {
        let added = other.columns.strip_prefix(self.columns.as_slice())?;
        let is_harmless = self.conflict == other.conflict && added.iter().all(|column| !column.key);
        is_harmless.then_some(added)
    }
}

/// Tables of Fossil whose names the reference keeps clear of.
const RESERVED: [&str; 5] = ["blob", "delta", "event", "mlink", "unversioned"];
/// Columns that every table has.
const OURS: [&str; 5] = ["mtime", "_owner", "rowid", "oid", "_rowid_"];

/// The columns as JSON.
pub(super) fn write_columns(columns: &[Column]) -> String {
    let one = |column: &Column| {
        let mut json = Writer::default();
        json.text("name", &column.name);
        json.text("type", column.kind.name());
        json.bool("pk", column.key);
        String::from_utf8(json.end()).unwrap_or_default()
    };
    let columns: Vec<String> = columns.iter().map(one).collect();
    ["[", &columns.join(","), "]"].concat()
}

/// The columns of [`write_columns`].
pub(super) fn read_columns(json: &str) -> Result<Vec<Column>, BadTable> {
    let objects = json::read_list(json.as_bytes()).ok_or(BadTable::Definition)?;
    let one = |members: Vec<(String, Value)>| {
        let (mut name, mut kind, mut key) = (None, None, false);
        for (member, value) in members {
            match (member.as_str(), value) {
                ("name", Value::Text(text)) => name = Some(text),
                ("type", Value::Text(text)) => kind = ColumnKind::named(&text),
                ("pk", Value::Bool(flag)) => key = flag,
                _ => {}
            }
        }
        Some(Column {
            name: name?,
            kind: kind?,
            key,
        })
    };
    let columns: Option<Vec<Column>> = objects.into_iter().map(one).collect();
    columns.ok_or(BadTable::Definition)
}
