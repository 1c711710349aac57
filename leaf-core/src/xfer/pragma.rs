//! Pragmas: hints that the other side may ignore.
//!
//! Unknown ones are kept as such and ignored, which is how leaves negotiate what stock Fossil lacks:
//! `leaf-count`, `leaf-mark`, `leaf-mark-stale`, `leaf-tables` and `leaf-uv-stored` (see [`crate::sync`]).
//!
//! Source: Fossil `www/sync.wiki` section 3.8; `src/xfer.c`; libfossil `internal/sync/client_tablesync.go` for
//! `xtable-hash`.

use crate::id::ArtifactHash;

/// One `pragma` card.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pragma<'a> {
    /// `avoid-delta-manifests`: the server forbids them.
    AvoidDeltaManifests,
    /// `ci-lock CHECKIN CLIENTID`: the client is about to commit on this check-in.
    CiLock {
        /// The parent-to-be.
        checkin: ArtifactHash,
        /// Who locks.
        client: &'a [u8],
    },
    /// `ci-lock-fail USER TIME`: somebody else is.
    CiLockFail {
        /// Who, still escaped.
        user: &'a [u8],
        /// Since when. Units: seconds since 1970.
        since: i64,
    },
    /// `ci-unlock CLIENTID`.
    CiUnlock(&'a [u8]),
    /// `client-url URL`: where the client could be reached in turn.
    ClientUrl(&'a [u8]),
    /// `client-version ..`.
    ClientVersion(Version),
    /// `leaf-count [COUNT]`: how many artifacts a clone gets; `None` from the client, who wants to know.
    LeafCount(Option<u64>),
    /// `leaf-mark [pull|push] TOKEN`: see [`crate::sync`].
    LeafMark {
        /// Empty from a server; `pull` or `push` from a client.
        direction: &'a [u8],
        /// The token, `-` when there is none.
        token: &'a [u8],
    },
    /// `leaf-mark-stale`: the client's push mark means nothing to this server.
    LeafMarkStale,
    /// `leaf-tables`: the sender knows the cards of synced tables and wants to hear of all of them.
    LeafTables,
    /// `leaf-uv-stored`: the sender takes unversioned files as they are stored.
    LeafUvStored,
    /// `link URL ARG MTIME`: another repository of the project; arguments still escaped.
    Link {
        /// Where.
        url: &'a [u8],
        /// JSON object.
        arg: &'a [u8],
        /// Units: seconds since 1970.
        mtime: i64,
    },
    /// `req-clusters`: the client wants to hear of every cluster.
    ReqClusters,
    /// `req-links`: the client wants [`Pragma::Link`]s.
    ReqLinks,
    /// `send-catalog`: the client wants to hear of every artifact.
    SendCatalog,
    /// `send-private`: the client wants private artifacts, too.
    SendPrivate,
    /// `server-version ..`.
    ServerVersion(Version),
    /// Any other. Ignored.
    Unknown(&'a [u8]),
    /// `uv-hash HASH`: the client's catalogue of unversioned files.
    UvHash(&'a [u8]),
    /// `uv-pull-only`: the server takes no unversioned files.
    UvPullOnly,
    /// `uv-push-ok`: it does.
    UvPushOk,
    /// `xtable-hash TABLE HASH [SUM]`: the client's catalogue of a synced table; `-` from a server that has no
    /// such table.
    XtableHash {
        /// The table.
        table: &'a str,
        /// SHA1 of the keys and times of its rows.
        hash: &'a [u8],
        /// SHA1 of what the rows hold, too; empty unless from a leaf.
        sum: &'a [u8],
    },
}

/// Which Fossil a peer says it is.
///
/// Shape: `22100` is 2.21; the date is `YYYYMMDD`, the time `HHMMSS`, both 0 when absent.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    /// Release number.
    pub number: u32,
    /// Date of the check-in it was built from.
    pub date: u32,
    /// Time of that check-in.
    pub time: u32,
}

impl Version {
    /// What a leaf announces. Recent enough for SHA3 names, private `igot`s and logins by cookie.
    pub const OURS: Self = Self {
        number: 22_700,
        date: 20_250_801,
        time: 0,
    };

    /// Whether the peer understands SHA3 names.
    pub fn reads_sha3(self) -> bool {
        self.number >= 20_000
    }

    /// Whether the peer wants to be told of private artifacts that it may not have.
    pub fn hears_private_igots(self) -> bool {
        self.date >= 20_200_413
    }

    /// Whether a server takes the login card as a cookie.
    pub fn takes_cookie_login(self) -> bool {
        self.number >= 22_700 && (self.date, self.time) >= (20_250_727, 110_500)
    }
}
