//! Every bound of this crate, in one place.
//!
//! Whatever length, count, depth or time comes from a peer or from a file is held against one of these. A
//! shell may lower them (a browser tab does) or raise them; the defaults are for a native node.
//!
//! Source: Fossil settings `max-upload`, `max-download`, `max-download-time`; threat list 3 to 8; nats-server's
//! defaults, but for `max_pending`, which there is 64 MiB.

/// The bounds of one repository and of its sessions.
///
/// Units: last word of each name; `_max` is inclusive.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Expanded size of one artifact or unversioned file.
    pub artifact_bytes_max: usize,
    /// Size of one message after it was inflated.
    pub message_bytes_max: usize,
    /// Size of a request that this side sends, before the artifact that exceeds it (Fossil `max-upload`,
    /// there 250 000).
    pub upload_bytes: usize,
    /// Size of a reply that this side sends, before the artifact that exceeds it (Fossil `max-download`).
    pub download_bytes: usize,
    /// One card line, without payload.
    pub card_bytes_max: usize,
    /// One name: a file, a wiki page, an unversioned file.
    pub name_bytes_max: usize,
    /// Cards in one message.
    pub cards_max: usize,
    /// Files in one manifest.
    pub manifest_files_max: usize,
    /// Deltas between an artifact and its full text.
    pub delta_depth_max: usize,
    /// Rounds of one session.
    pub rounds_max: u32,
    /// Artifacts one request asks for; grows to twice what the last reply brought.
    pub gimmes_max: usize,
    /// Artifacts one session asks for though the server does not have them.
    pub vain_gimmes_max: usize,
    /// Artifacts one reply asks for.
    pub server_gimmes_max: usize,
    /// Phantoms one session may create beyond the artifacts it brings.
    pub phantoms_max: usize,
    /// How far in the future a peer's unversioned file, row or configuration may claim to be.
    pub future_ms_max: i64,
    /// Synced tables of one repository.
    pub tables_max: usize,
    /// Columns of a synced table.
    pub table_columns_max: usize,
    /// Rows of a synced table, deleted ones among them.
    pub table_rows_max: usize,
    /// One row of a synced table as JSON, or its definition.
    pub row_bytes_max: usize,
    /// Bytes that one check or crosslink may keep expanded at a time.
    pub work_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            artifact_bytes_max: 1 << 30,
            message_bytes_max: 1 << 30,
            upload_bytes: 4_000_000,
            download_bytes: 5_000_000,
            card_bytes_max: 64 << 10,
            name_bytes_max: 4 << 10,
            cards_max: 1_000_000,
            manifest_files_max: 1_000_000,
            delta_depth_max: 16_384,
            rounds_max: 10_000,
            gimmes_max: 200,
            vain_gimmes_max: 10_000,
            server_gimmes_max: 500,
            phantoms_max: 50_000,
            future_ms_max: 300_000,
            tables_max: 64,
            table_columns_max: 64,
            table_rows_max: 100_000,
            row_bytes_max: 64 << 10,
            work_bytes: 16 << 20,
        }
    }
}

/// The bounds of NATS connections.
///
/// Units: last word of each name before `max`; `_max` is inclusive.
#[derive(Clone, Copy, Debug)]
pub struct NatsLimits {
    /// One control line of a client.
    pub line_bytes_max: usize,
    /// One control line of a server or a link: an `INFO` names a whole cluster.
    pub info_bytes_max: usize,
    /// Header and body of one message.
    pub payload_bytes_max: usize,
    /// What may wait to be written to one connection before it counts as too slow to keep.
    pub pending_bytes_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Subscriptions of one client.
    pub subscriptions_max: usize,
    /// Subscriptions of all that is behind one link.
    pub link_subscriptions_max: usize,
    /// How long a connection may take nothing of what is sent to it.
    pub write_ms_max: i64,
    /// How long a connection may take to say who it is.
    pub connect_ms_max: i64,
    /// How soon after it is open a connection is asked for a sign of life.
    pub first_ping_ms: i64,
    /// How long a connection may be silent before it is asked for one.
    pub ping_interval_ms: i64,
    /// How many such questions may be without an answer.
    pub pings_out_max: u32,
}

impl Default for NatsLimits {
    fn default() -> Self {
        Self {
            line_bytes_max: 4096,
            info_bytes_max: 64 << 10,
            payload_bytes_max: 1 << 20,
            pending_bytes_max: 8 << 20,
            connections_max: 16_384,
            subscriptions_max: 65_536,
            link_subscriptions_max: 1_000_000,
            write_ms_max: 10_000,
            connect_ms_max: 2_000,
            first_ping_ms: 2_000,
            ping_interval_ms: 120_000,
            pings_out_max: 2,
        }
    }
}

/// The bounds of what leaves say that call each other by key.
///
/// Units: last word of each name before `max`; `_max` is inclusive.
#[derive(Clone, Copy, Debug)]
pub struct PeerLimits {
    /// The line in front of a message.
    pub line_bytes_max: usize,
    /// One request.
    pub request_bytes_max: usize,
    /// All requests that are on their way at a time.
    pub requests_bytes_max: usize,
    /// One reply.
    pub reply_bytes_max: usize,
    /// Connections at a time, of all peers together.
    pub connections_max: usize,
    /// Streams of one connection at a time.
    pub streams_max: u32,
    /// Requests that are worked on at a time.
    pub requests_max: usize,
    /// How long the other side may send or take nothing while a message is on its way.
    pub silence_ms_max: u32,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            line_bytes_max: 1024,
            request_bytes_max: 256 << 20,
            requests_bytes_max: 512 << 20,
            reply_bytes_max: 1 << 30,
            connections_max: 512,
            streams_max: 8,
            requests_max: 32,
            silence_ms_max: 30_000,
        }
    }
}

/// The bounds of what goes through a relay.
///
/// Units: last word of each name before `max`; `_max` is inclusive.
#[derive(Clone, Copy, Debug)]
pub struct RelayLimits {
    /// One frame; the relay protocol has none larger than 64 KiB and its head.
    pub frame_bytes_max: usize,
    /// What one connection may send in a second.
    pub second_bytes_max: u32,
    /// What it may send at once after a rest.
    pub burst_bytes_max: u32,
    /// Connections at a time, of all keys together.
    pub connections_max: usize,
    /// Connections of one key at a time.
    pub of_one_max: usize,
    /// How long one may take to prove its key.
    pub handshake_ms_max: u32,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 65 << 10,
            second_bytes_max: 64 << 20,
            burst_bytes_max: 8 << 20,
            connections_max: 1024,
            of_one_max: 8,
            handshake_ms_max: 10_000,
        }
    }
}

/// The bounds of sync over NATS.
///
/// Units: last word of each name before `max`; `_max` is inclusive.
#[derive(Clone, Copy, Debug)]
pub struct MeshLimits {
    /// Messages that are sent or taken in parts, per repository, all together.
    pub kept_bytes_max: usize,
    /// How many of them.
    pub kept_max: usize,
    /// How long one is kept that nobody goes on with.
    pub kept_ms_max: i64,
    /// One reply.
    pub reply_bytes_max: usize,
}

impl Default for MeshLimits {
    fn default() -> Self {
        Self {
            kept_bytes_max: 256 << 20,
            kept_max: 64,
            kept_ms_max: 30_000,
            reply_bytes_max: 1 << 30,
        }
    }
}
