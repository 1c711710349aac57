//! Synced tables: small tables of a project whose rows travel among leaves, newest first.
//!
//! ```text
//!   definition   columns and rule, as JSON on the wire and in `_sync_schema`
//!   value  row   what a row holds; its JSON, its key, its sum
//!   registry     which tables there are, and the hash of each
//!   rows         what people do: put, delete, list
//!   receive      what peers do, and the rule by which a row is taken
//! ```
//!
//! Two tables hold it all, named and laid out as libfossil does: the registry `_sync_schema`, and `x_NAME` for each
//! table. A repository that uses none has neither. Differences from the reference, which reads what is written here:
//!
//! - A row is found by its key columns, and by the hash of its key by way of one pass over the table per message,
//!   which the exchange (it names every row) makes anyway; the reference makes one pass per row.
//! - The hash of a table is kept in `_sync_schema.cat_hash`, with how many rows there were and the sum of their
//!   times, so that a change by another program is seen. Behind the reference's hash stands a second one, of what the
//!   rows hold, for leaves. (No triggers: a file that holds one is not opened.)
//! - Of two rows of the same second the one with the greater sum wins, so that all sides end with the same. A
//!   deletion is below every row, as among unversioned files.
//!
//! `fossil rebuild` drops tables that it does not know; the next sync brings them back.
//!
//! Source: libfossil `internal/repo/tablesync.go`, `internal/sync/handler_tablesync.go`.

mod definition;
mod receive;
mod registry;
mod row;
mod rows;
mod value;

pub use definition::{BadTable, Column, ColumnKind, Conflict, Table, TableDef};
pub use receive::{OpenTable, RowName, Taken, TravelRow, Writer};
pub use registry::TableHash;
pub use row::TableRow;
pub use value::TableValue;
