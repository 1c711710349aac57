//! Who holds this project: a synced table in which every leaf that serves it keeps one row.
//!
//! The reference has a table of this name in each of its repositories, and never syncs it; ours has the same columns
//! and three more, and travels as any synced table. A row is written when a leaf starts, when something in it has
//! changed, and once an hour, so that a project without news stays quiet; a leaf that is silent for a month is not
//! listed any more.
//!
//! Source: EdgeSync `leaf/agent/peer_registry.go`.

use super::{Column, ColumnKind, Conflict, Repo, RepoError, RepoTx, Table, TableDef, TableValue};
use crate::time::Timestamp;

/// The table.
const NAME: &str = "peer_registry";
/// Its columns, the reference's first; [`Peer::values`] has their order.
const COLUMNS: [(&str, ColumnKind); 11] = [
    ("peer_id", ColumnKind::Text),
    ("last_sync", ColumnKind::Integer),
    ("repo_hash", ColumnKind::Text),
    ("version", ColumnKind::Text),
    ("platform", ColumnKind::Text),
    ("capabilities", ColumnKind::Text),
    ("nats_subject", ColumnKind::Text),
    ("addr", ColumnKind::Text),
    ("name", ColumnKind::Text),
    ("kind", ColumnKind::Text),
    ("repository", ColumnKind::Text),
];
/// How old a row may be. Units: milliseconds.
const FRESH_MS: i64 = 3_600_000;
/// How long a leaf may be silent. Units: milliseconds.
const SILENT_MS: i64 = 30 * 24 * 3_600_000;

/// A leaf that holds the project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Peer {
    /// The server code of its repository.
    pub peer_id: String,
    /// What the leaf calls itself.
    pub name: String,
    /// `native` or `tab`; empty for others.
    pub kind: String,
    /// What the leaf calls the repository.
    pub repository: String,
    /// Of the program.
    pub version: String,
    /// What the program runs on.
    pub platform: String,
    /// How it can be reached and what it does, with commas: `serve-http`, `serve-nats`, `push`, `pull`.
    pub transports: String,
    /// What its subjects begin with.
    pub nats_subject: String,
    /// Where it serves HTTP, if it says so.
    pub addr: String,
    /// When it said all this.
    pub seen: Timestamp,
}

impl Peer {
    fn values(&self) -> Vec<TableValue> {
        let texts = [
            &self.peer_id,
            "",
            "",
            &self.version,
            &self.platform,
            &self.transports,
            &self.nats_subject,
            &self.addr,
            &self.name,
            &self.kind,
            &self.repository,
        ];
        let mut values: Vec<TableValue> = texts.into_iter().map(TableValue::from).collect();
        if let Some(seen) = values.get_mut(1) {
            *seen = self.seen.unix().into();
        }
        values
    }

    /// A row, whose columns may be fewer than ours or others.
    fn of(table: &Table, values: &[TableValue]) -> Self {
        let mut peer = Self::default();
        for (column, value) in table.def.columns.iter().zip(values) {
            let place = match (column.name.as_str(), value) {
                ("last_sync", TableValue::Integer(seconds)) => {
                    peer.seen = Timestamp::from_unix(*seconds);
                    continue;
                }
                ("peer_id", _) => &mut peer.peer_id,
                ("version", _) => &mut peer.version,
                ("platform", _) => &mut peer.platform,
                ("capabilities", _) => &mut peer.transports,
                ("nats_subject", _) => &mut peer.nats_subject,
                ("addr", _) => &mut peer.addr,
                ("name", _) => &mut peer.name,
                ("kind", _) => &mut peer.kind,
                ("repository", _) => &mut peer.repository,
                _ => continue,
            };
            if let TableValue::Text(text) = value {
                place.clone_from(text);
            }
        }
        peer
    }
}

fn definition() -> TableDef {
    let column = |(name, kind): (&str, ColumnKind)| Column {
        name: name.to_owned(),
        kind,
        key: name == "peer_id",
    };
    TableDef {
        columns: COLUMNS.into_iter().map(column).collect(),
        conflict: Conflict::MtimeWins,
    }
}

impl Repo {
    /// The leaves that were heard of in the last month, by name.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn peers(&self, now: Timestamp) -> Result<Vec<Peer>, RepoError> {
        let Some(table) = self.table(NAME)? else {
            return Ok(Vec::new());
        };
        let rows = self.table_rows(&table)?;
        let mut peers: Vec<Peer> = rows.iter().map(|row| Peer::of(&table, &row.values)).collect();
        peers.retain(|peer| peer.seen >= now.plus_ms(-SILENT_MS));
        peers.sort_by(|one, other| (&one.name, &one.peer_id).cmp(&(&other.name, &other.peer_id)));
        Ok(peers)
    }

    /// Whether the row of a peer says something else, or is old.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn is_peer_due(&self, peer: &Peer) -> Result<bool, RepoError> {
        let mut known = self.peers(peer.seen)?;
        known.retain(|known| known.peer_id == peer.peer_id);
        let fresh = known
            .pop()
            .filter(|known| known.seen > peer.seen.plus_ms(-FRESH_MS));
        Ok(fresh.is_none_or(|known| {
            Peer {
                seen: peer.seen,
                ..known
            } != *peer
        }))
    }
}

impl RepoTx<'_> {
    /// Writes the row of a peer, which is this leaf, if that is due. Whether it was.
    ///
    /// # Errors
    ///
    /// [`RepoError::Table`] when there is such a table and it is another; [`RepoError::Limit`], [`RepoError::Sqlite`].
    pub fn note_peer(&self, peer: &Peer) -> Result<bool, RepoError> {
        if !self.is_peer_due(peer)? {
            return Ok(false);
        }
        let table = self.define_table(NAME, &definition(), peer.seen)?;
        let values = peer.values();
        // Columns that somebody added stay empty.
        let more = table.def.columns.len().saturating_sub(values.len());
        let values = [values, vec![TableValue::Null; more]].concat();
        self.put_row(&table, &values, "", peer.seen)?;
        self.settle_tables()?;
        Ok(true)
    }
}
