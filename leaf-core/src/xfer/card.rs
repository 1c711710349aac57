//! The cards of a sync message, as values.
//!
//! A card is one line, with a payload behind it where the table below says so. Text arguments that Fossil
//! escapes are still escaped here and decoded by whoever needs them; everything borrows from the message.
//!
//! The cards of synced tables are unknown to stock, which takes them for an error: nobody sends one before the other
//! side has shown that it knows them.
//!
//! Source: Fossil `www/sync.wiki` section 3; `src/xfer.c` `page_xfer()`, `client_sync()`; libfossil
//! `internal/xfer/card_tablesync.go` for tables.

use super::Pragma;
use crate::id::ArtifactHash;

/// One card.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Card<'a> {
    /// `cfile HASH [SOURCE] SIZE BYTES`: an artifact as it is stored, compressed.
    Cfile {
        /// Name of the artifact.
        hash: ArtifactHash,
        /// What the payload is a delta against.
        source: Option<ArtifactHash>,
        /// Expanded size of the artifact, even where the payload is a delta.
        size: u64,
        /// 4-byte size and zlib stream; legacy peers send the bare zlib stream.
        zblob: &'a [u8],
    },
    /// `clone [VERSION SEQNO]`: the sender has nothing yet.
    Clone {
        /// 1 when the card has no arguments.
        version: u32,
        /// The first row that is wanted, 1 when absent.
        seqno: i64,
    },
    /// `clone_seqno N`: where the next `clone` goes on; 0 when there is no more.
    CloneSeqno(i64),
    /// `# text`.
    Comment(&'a [u8]),
    /// `config NAME SIZE`: configuration rows.
    Config {
        /// `/config`, `/user`, ...
        name: &'a str,
        /// Mtime, key, and pairs of column and SQL literal.
        payload: &'a [u8],
    },
    /// `cookie TEXT`: to be returned by the client, ignored by servers.
    Cookie(&'a [u8]),
    /// `error MESSAGE`, still escaped.
    Error(&'a [u8]),
    /// `file HASH [SOURCE] SIZE`: an artifact.
    File {
        /// Name of the artifact.
        hash: ArtifactHash,
        /// What the payload is a delta against.
        source: Option<ArtifactHash>,
        /// The artifact, or a delta.
        content: &'a [u8],
    },
    /// `gimme HASH`: the sender wants this artifact.
    Gimme(ArtifactHash),
    /// `igot HASH [1]`: the sender holds this artifact.
    Igot {
        /// Name of the artifact.
        hash: ArtifactHash,
        /// The sender holds it as private.
        private: bool,
    },
    /// `login USER NONCE SIGNATURE`.
    Login {
        /// Login name, still escaped.
        user: &'a [u8],
        /// SHA1 of `tail`, in hex.
        nonce: &'a [u8],
        /// SHA1 of nonce and secret, in hex.
        signature: &'a [u8],
        /// All bytes of the message behind this line.
        tail: &'a [u8],
    },
    /// `message TEXT`, still escaped.
    Message(&'a [u8]),
    /// `pragma NAME ..`.
    Pragma(Pragma<'a>),
    /// `private`: the next file or cfile is private.
    Private,
    /// `pull SERVERCODE PROJECTCODE`; a legacy peer has them the other way round, or only the second.
    Pull {
        /// First argument: server code.
        server: &'a [u8],
        /// Last argument: project code.
        project: &'a [u8],
    },
    /// `push SERVERCODE PROJECTCODE`; see [`Card::Pull`].
    Push {
        /// First argument: server code.
        server: &'a [u8],
        /// Last argument: project code.
        project: &'a [u8],
    },
    /// `reqconfig NAME`: the sender wants configuration.
    ReqConfig(&'a str),
    /// `xrow TABLE KEY MTIME SIZE`: a row of a synced table; `xdelete ..`: that it was deleted.
    Row {
        /// The table.
        table: &'a str,
        /// SHA1 of what its key columns hold.
        key: ArtifactHash,
        /// Units: seconds since 1970.
        mtime: i64,
        /// Its columns as JSON; of a deleted row the key columns.
        json: &'a [u8],
        /// Whether it was deleted.
        deleted: bool,
    },
    /// `schema TABLE VERSION HASH MTIME SIZE`: what a synced table looks like.
    Schema {
        /// Its name.
        table: &'a str,
        /// Units: seconds since 1970.
        mtime: i64,
        /// Columns and rule, as JSON. Its SHA1 in the card says nothing that this does not.
        json: &'a [u8],
    },
    /// `# timestamp TIME errors N`: the server's clock, at the end of a reply.
    Timestamp(&'a [u8]),
    /// A card that this version does not know. Clients give up on it, servers answer with an error.
    Unknown(&'a [u8]),
    /// `uvfile NAME MTIME HASH SIZE FLAGS`: an unversioned file.
    Uvfile {
        /// File name, never escaped: no white space, no backslash.
        name: &'a str,
        /// Units: seconds since 1970.
        mtime: i64,
        /// `None` for a deleted file (`-`).
        hash: Option<ArtifactHash>,
        /// Expanded size of the file.
        size: u64,
        /// How the content travels.
        body: UvBody<'a>,
    },
    /// `uvgimme NAME`: the sender wants this unversioned file.
    Uvgimme(&'a str),
    /// `uvigot NAME MTIME HASH SIZE`: the sender holds this unversioned file.
    Uvigot {
        /// File name.
        name: &'a str,
        /// Units: seconds since 1970.
        mtime: i64,
        /// `None` for a deleted file (`-`).
        hash: Option<ArtifactHash>,
        /// Expanded size of the file.
        size: u64,
    },
    /// `xgimme TABLE KEY`: the sender wants this row of a synced table.
    Xgimme {
        /// The table.
        table: &'a str,
        /// SHA1 of what its key columns hold.
        key: ArtifactHash,
    },
    /// `xigot TABLE KEY MTIME [SUM]`: the sender holds this row of a synced table.
    Xigot {
        /// The table.
        table: &'a str,
        /// SHA1 of what its key columns hold.
        key: ArtifactHash,
        /// Units: seconds since 1970.
        mtime: i64,
        /// What it holds, in short; between leaves only.
        sum: Option<u64>,
    },
}

/// What follows an `uvfile` line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UvBody<'a> {
    /// The file was deleted (flag 1).
    Deleted,
    /// No content: too big, or only the time changed (flag 4).
    Omitted,
    /// The content as it is (no flag).
    Plain(&'a [u8]),
    /// The content as it is stored, compressed. Between leaves only, after `pragma leaf-uv-stored`
    /// (flag 16, followed by the number of bytes).
    Stored(&'a [u8]),
}
