//! Writing cards.
//!
//! Source: Fossil `src/xfer.c`.

use super::read::{UV_DELETED, UV_OMITTED, UV_STORED};
use super::{Card, Pragma, UvBody, Version};
use crate::format::hash::sha1_hex;
use crate::id::ArtifactHash;
use std::io::Write;

/// A message under construction, with a size that it should not outgrow.
///
/// The budget is a mark, not a wall: whoever writes artifacts asks [`is_full`](Self::is_full) before each, so
/// one artifact may exceed it.
#[derive(Clone, Debug)]
pub struct MessageWriter {
    bytes: Vec<u8>,
    budget: usize,
}

impl MessageWriter {
    /// An empty message. Units: bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            bytes: Vec::new(),
            budget,
        }
    }

    /// Whether the budget is spent.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= self.budget
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends one card.
    pub fn push(&mut self, card: &Card<'_>) {
        match card {
            Card::Cfile {
                hash,
                source,
                size,
                zblob,
            } => {
                self.artifact("cfile", hash, source.as_ref());
                self.line(format_args!(" {size} {}", zblob.len()));
                self.bytes.extend_from_slice(zblob);
                if zblob.last() != Some(&b'\n') {
                    self.bytes.push(b'\n');
                }
            }
            Card::File {
                hash,
                source,
                content,
            } => {
                self.artifact("file", hash, source.as_ref());
                self.line(format_args!(" {}", content.len()));
                self.bytes.extend_from_slice(content);
            }
            Card::Config { name, payload } => {
                self.line(format_args!("config {name} {}", payload.len()));
                self.bytes.extend_from_slice(payload);
                self.bytes.push(b'\n');
            }
            Card::Uvfile {
                name,
                mtime,
                hash,
                size,
                body,
            } => {
                self.text(format_args!(
                    "uvfile {name} {mtime} {} {size} ",
                    Dash(hash.as_ref())
                ));
                self.uv_body(body);
            }
            Card::Schema { table, mtime, json } => {
                let hash = sha1_hex(json);
                self.line(format_args!("schema {table} 1 {hash} {mtime} {}", json.len()));
                self.json(json);
            }
            Card::Row {
                table,
                key,
                mtime,
                json,
                deleted,
            } => {
                let card = if *deleted { "xdelete" } else { "xrow" };
                self.line(format_args!("{card} {table} {key} {mtime} {}", json.len()));
                self.json(json);
            }
            Card::Gimme(hash) => self.line(format_args!("gimme {hash}")),
            Card::Igot { hash, private } => {
                self.line(format_args!("igot {hash}{}", if *private { " 1" } else { "" }));
            }
            Card::Pragma(pragma) => self.pragma(pragma),
            other => self.plain(other),
        }
    }

    /// The cards that are one line and rare.
    fn plain(&mut self, card: &Card<'_>) {
        match card {
            Card::Clone { version: 1, seqno: 1 } => self.line(format_args!("clone")),
            Card::Clone { version, seqno } => self.line(format_args!("clone {version} {seqno}")),
            Card::CloneSeqno(seqno) => self.line(format_args!("clone_seqno {seqno}")),
            Card::Comment(text) => self.words(&[&[b"#", *text].concat()]),
            Card::Cookie(value) => self.words(&[b"cookie", value]),
            Card::Error(text) => self.words(&[b"error", text]),
            Card::Login {
                user,
                nonce,
                signature,
                ..
            } => self.words(&[b"login", user, nonce, signature]),
            Card::Message(text) => self.words(&[b"message", text]),
            Card::Private => self.line(format_args!("private")),
            Card::Pull { server: [], project } => self.words(&[b"pull", project]),
            Card::Pull { server, project } => self.words(&[b"pull", server, project]),
            Card::Push { server: [], project } => self.words(&[b"push", project]),
            Card::Push { server, project } => self.words(&[b"push", server, project]),
            Card::ReqConfig(name) => self.line(format_args!("reqconfig {name}")),
            Card::Timestamp(text) => self.words(&[b"# timestamp", text]),
            Card::Unknown(line) => self.words(&[line]),
            Card::Uvgimme(name) => self.line(format_args!("uvgimme {name}")),
            Card::Uvigot {
                name,
                mtime,
                hash,
                size,
            } => {
                self.line(format_args!(
                    "uvigot {name} {mtime} {} {size}",
                    Dash(hash.as_ref())
                ));
            }
            Card::Xgimme { table, key } => self.line(format_args!("xgimme {table} {key}")),
            Card::Xigot {
                table,
                key,
                mtime,
                sum: None,
            } => self.line(format_args!("xigot {table} {key} {mtime}")),
            Card::Xigot {
                table,
                key,
                mtime,
                sum: Some(sum),
            } => self.line(format_args!("xigot {table} {key} {mtime} {sum:016x}")),
            Card::Cfile { .. }
            | Card::Config { .. }
            | Card::File { .. }
            | Card::Gimme(_)
            | Card::Igot { .. }
            | Card::Pragma(_)
            | Card::Row { .. }
            | Card::Schema { .. }
            | Card::Uvfile { .. } => unreachable!("push() writes these"),
        }
    }

    fn pragma(&mut self, pragma: &Pragma<'_>) {
        match pragma {
            Pragma::AvoidDeltaManifests => self.words(&[b"pragma avoid-delta-manifests"]),
            Pragma::CiLock { checkin, client } => {
                self.words(&[b"pragma ci-lock", checkin.hex().as_bytes(), client]);
            }
            Pragma::CiLockFail { user, since } => {
                self.words(&[b"pragma ci-lock-fail", user, since.to_string().as_bytes()]);
            }
            Pragma::CiUnlock(client) => self.words(&[b"pragma ci-unlock", client]),
            Pragma::ClientUrl(url) => self.words(&[b"pragma client-url", url]),
            Pragma::ClientVersion(version) => self.version("client", *version),
            Pragma::LeafCount(None) => self.words(&[b"pragma leaf-count"]),
            Pragma::LeafCount(Some(count)) => self.line(format_args!("pragma leaf-count {count}")),
            Pragma::LeafMark { direction: [], token } => self.words(&[b"pragma leaf-mark", token]),
            Pragma::LeafMark { direction, token } => self.words(&[b"pragma leaf-mark", direction, token]),
            Pragma::LeafMarkStale => self.words(&[b"pragma leaf-mark-stale"]),
            Pragma::LeafTables => self.words(&[b"pragma leaf-tables"]),
            Pragma::LeafUvStored => self.words(&[b"pragma leaf-uv-stored"]),
            Pragma::Link { url, arg, mtime } => {
                self.words(&[b"pragma link", url, arg, mtime.to_string().as_bytes()]);
            }
            Pragma::ReqClusters => self.words(&[b"pragma req-clusters"]),
            Pragma::ReqLinks => self.words(&[b"pragma req-links"]),
            Pragma::SendCatalog => self.words(&[b"pragma send-catalog"]),
            Pragma::SendPrivate => self.words(&[b"pragma send-private"]),
            Pragma::ServerVersion(version) => self.version("server", *version),
            Pragma::Unknown(text) => self.words(&[b"pragma", text]),
            Pragma::UvHash(digest) => self.words(&[b"pragma uv-hash", digest]),
            Pragma::UvPullOnly => self.words(&[b"pragma uv-pull-only"]),
            Pragma::UvPushOk => self.words(&[b"pragma uv-push-ok"]),
            Pragma::XtableHash { table, hash, sum: [] } => {
                self.words(&[b"pragma xtable-hash", table.as_bytes(), hash]);
            }
            Pragma::XtableHash { table, hash, sum } => {
                self.words(&[b"pragma xtable-hash", table.as_bytes(), hash, sum]);
            }
        }
    }

    fn version(&mut self, side: &str, Version { number, date, time }: Version) {
        self.line(format_args!("pragma {side}-version {number} {date} {time}"));
    }

    fn uv_body(&mut self, body: &UvBody<'_>) {
        match body {
            UvBody::Deleted => self.line(format_args!("{UV_DELETED}")),
            UvBody::Omitted => self.line(format_args!("{UV_OMITTED}")),
            UvBody::Plain(content) => {
                self.line(format_args!("0"));
                self.bytes.extend_from_slice(content);
            }
            UvBody::Stored(zblob) => {
                self.line(format_args!("{UV_STORED} {}", zblob.len()));
                self.bytes.extend_from_slice(zblob);
            }
        }
    }

    /// A payload that EdgeSync reads with a newline behind it.
    fn json(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(json);
        self.bytes.push(b'\n');
    }

    fn artifact(&mut self, card: &str, hash: &ArtifactHash, source: Option<&ArtifactHash>) {
        self.text(format_args!("{card} {hash}"));
        if let Some(source) = source {
            self.text(format_args!(" {source}"));
        }
    }

    fn words(&mut self, words: &[&[u8]]) {
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b' ');
            }
            self.bytes.extend_from_slice(word);
        }
        self.bytes.push(b'\n');
    }

    fn line(&mut self, text: core::fmt::Arguments<'_>) {
        self.text(text);
        self.bytes.push(b'\n');
    }

    fn text(&mut self, text: core::fmt::Arguments<'_>) {
        self.bytes.write_fmt(text).expect("a vector takes any bytes");
    }
}

/// A hash, or the dash that stands for a deleted file.
struct Dash<'a>(Option<&'a ArtifactHash>);

impl core::fmt::Display for Dash<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(hash) => hash.fmt(f),
            None => f.write_str("-"),
        }
    }
}
