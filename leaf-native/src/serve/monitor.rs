//! What goes on in the broker, for programs that watch NATS servers: `GET /varz`, `GET /connz`.
//!
//! Only this machine is told: names and addresses of clients are nobody else's business.
//!
//! Source: NATS monitoring endpoints (docs.nats.io, `running-a-nats-service/nats_admin/monitoring`); the keys are
//! those of nats-server 2.9.10 and 2.15.1, as many as there is something to say for.

use super::answer::Answer;
use crate::broker::{Broker, Report};
use crate::world;
use hyper::StatusCode;
use leaf_core::nats::broker::{ConnStat, PeerKind};
use leaf_core::time::Timestamp;
use serde_json::{Value, json};

/// Connections in one answer, unless fewer are asked for.
const CONNECTIONS_MAX: usize = 1024;

/// Whether a path is one of these.
pub(super) fn is_wanted(path: &str) -> bool {
    matches!(path, "/varz" | "/connz")
}

/// Answers. `path` is one that [`is_wanted`].
pub(super) async fn answer(broker: &Broker, path: &str, query: Option<&str>) -> Answer {
    let Some(report) = broker.report().await else {
        return Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the NATS broker has stopped");
    };
    let value = match path {
        "/varz" => varz(broker, &report),
        _ => connz(broker, &report, query.unwrap_or_default()),
    };
    Answer::new(StatusCode::OK, "application/json", format!("{value:#}\n"))
}

fn varz(broker: &Broker, report: &Report) -> Value {
    let now = world::now();
    let (stat, limits) = (&report.stat, broker.limits());
    let of_kind = |wanted: fn(PeerKind) -> bool| report.conns.iter().filter(|conn| wanted(conn.kind)).count();
    json!({
        "server_id": broker.id(),
        "server_name": broker.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "proto": 1,
        "go": "rust",
        "max_connections": limits.connections_max,
        "max_subscriptions": limits.subscriptions_max,
        "max_payload": limits.payload_bytes_max,
        "max_pending": limits.pending_bytes_max,
        "max_control_line": limits.line_bytes_max,
        "auth_required": broker.is_guarded(),
        "start": broker.since().iso_ms(),
        "now": now.iso_ms(),
        "uptime": span(broker.since(), now),
        "connections": of_kind(|kind| kind == PeerKind::Client),
        "leafnodes": of_kind(|kind| matches!(kind, PeerKind::Hub | PeerKind::Spoke)),
        "peers": of_kind(|kind| matches!(kind, PeerKind::Mesh { .. })),
        "total_connections": stat.connections_ever,
        "subscriptions": stat.subscriptions,
        "slow_consumers": stat.slow_consumers,
        "in_msgs": stat.traffic.in_messages,
        "in_bytes": stat.traffic.in_bytes,
        "out_msgs": stat.traffic.out_messages,
        "out_bytes": stat.traffic.out_bytes,
    })
}

fn connz(broker: &Broker, report: &Report, query: &str) -> Value {
    let asked = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let number = |name: &str| asked(name).and_then(|value| value.parse::<usize>().ok());
    let (offset, limit) = (
        number("offset").unwrap_or(0),
        number("limit").unwrap_or(CONNECTIONS_MAX).min(CONNECTIONS_MAX),
    );
    let with_subjects = asked("subs").is_some_and(|subs| matches!(&*subs, "1" | "true" | "detail"));
    let now = world::now();
    let shown: Vec<Value> = report
        .conns
        .iter()
        .skip(offset)
        .take(limit)
        .map(|conn| connection(conn, now, with_subjects))
        .collect();
    json!({
        "server_id": broker.id(),
        "now": now.iso_ms(),
        "num_connections": shown.len(),
        "total": report.conns.len(),
        "offset": offset,
        "limit": limit,
        "connections": shown,
    })
}

fn connection(conn: &ConnStat, now: Timestamp, with_subjects: bool) -> Value {
    let (ip, port) = conn
        .address
        .rsplit_once(':')
        .unwrap_or((conn.address.as_str(), "0"));
    let mut value = json!({
        "cid": conn.id.number(),
        "kind": match conn.kind {
            PeerKind::Client => "Client",
            PeerKind::Hub | PeerKind::Spoke => "Leafnode",
            PeerKind::Mesh { .. } => "Peer",
        },
        "ip": ip,
        "port": port.parse::<u16>().unwrap_or_default(),
        "start": conn.since.iso_ms(),
        "last_activity": conn.heard.iso_ms(),
        "uptime": span(conn.since, now),
        "idle": span(conn.heard, now),
        "pending_bytes": conn.pending,
        "in_msgs": conn.traffic.in_messages,
        "in_bytes": conn.traffic.in_bytes,
        "out_msgs": conn.traffic.out_messages,
        "out_bytes": conn.traffic.out_bytes,
        "subscriptions": conn.subjects.len(),
    });
    for (name, text) in [
        ("name", &conn.name),
        ("lang", &conn.lang),
        ("version", &conn.version),
        ("authorized_user", &conn.user),
    ] {
        if !text.is_empty() {
            value[name] = json!(text);
        }
    }
    if with_subjects {
        value["subscriptions_list"] = json!(conn.subjects);
    }
    value
}

/// `1d2h3m4s`, as servers write it.
fn span(from: Timestamp, to: Timestamp) -> String {
    let mut left = to.0.saturating_sub(from.0).max(0) / 1000;
    let mut text = String::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if left >= seconds || !text.is_empty() {
            text.push_str(&format!("{}{unit}", left / seconds));
            left %= seconds;
        }
    }
    text.push_str(&format!("{left}s"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_servers_write_it() {
        let spans = [(0, "0s"), (59, "59s"), (3_605, "1h0m5s"), (90_061, "1d1h1m1s")];
        for (seconds, text) in spans {
            assert_eq!(span(Timestamp(0), Timestamp::from_unix(seconds)), text);
        }
    }
}
