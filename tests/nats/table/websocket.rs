//! NATS by WebSocket: the same stream of bytes, in frames that mean nothing.
//!
//! Source: `server/websocket.go` `wsUpgrade()`, `wsReadLoop()`, `wsHandleControlFrame()`, `wsEnqueueCloseMessage()`;
//! RFC 6455.

use crate::case::{A, B, Case, Stage, Step, then};
use crate::frames::{FINAL, Frames, UPGRADE, kind};
use crate::servers::{Broker, Origins, Setup};
use std::time::Duration;

on_every_broker![
    a_client_by_websocket_is_a_client,
    both_kinds_of_connection_hear_each_other,
    frames_need_not_end_where_messages_do,
    a_frame_may_hold_many_operations,
    a_message_of_many_frames_is_a_stream_too,
    frames_of_text_are_taken,
    large_messages_go_both_ways,
    tokens_open_by_websocket_too,
    the_upgrade_is_answered_by_the_rules,
    any_path_is_a_client,
    compression_is_not_offered,
    an_upgrade_that_breaks_the_rules_is_refused,
    pages_of_any_site_may_be_let_in,
    pages_of_other_sites_may_be_kept_out,
    pages_of_named_sites_may_be_let_in,
    info_comes_in_a_binary_frame,
    a_frame_without_mask_ends_it,
    masks_may_be_done_without_if_both_agree,
    ping_frames_are_answered,
    pong_frames_are_passed_over,
    a_close_frame_is_answered_and_ends_it,
    a_frame_of_an_unknown_kind_ends_it,
    a_frame_with_reserved_bits_ends_it,
    a_continuation_of_nothing_ends_it,
    a_message_within_a_message_ends_it,
    a_long_control_frame_ends_it,
    a_control_frame_in_parts_ends_it,
    an_empty_frame_is_passed_over,
    a_frame_of_an_exabyte_is_nothing_to_wait_for,
    a_silent_client_is_closed_with_1001,
    who_takes_too_long_to_sign_in_is_closed_with_1008,
    a_parse_error_closes_with_1002,
    a_violation_closes_with_1008,
    a_payload_too_large_closes_with_1009,
];

fn a_client_by_websocket_is_a_client() -> Case {
    Case::new([
        A.opens_websocket(),
        A.was_told("headers", |info| info["headers"] == true),
        A.sends(r#"CONNECT {"verbose":false,"headers":true}"#),
        A.sends("SUB one 1"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.sends("HPUB one 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.hears("HMSG one 1 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.is_quiet(),
    ])
}

fn both_kinds_of_connection_hear_each_other() -> Case {
    Case::new([
        A.opens_websocket(),
        A.sends(r#"CONNECT {"verbose":false}"#),
        A.sends("SUB * 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("SUB two 2"),
        B.sends("PUB one 2\r\nhi"),
        B.is_quiet(),
        A.hears("MSG one 1 2\r\nhi"),
        A.sends("PUB two 2\r\nho"),
        A.hears("MSG two 1 2\r\nho"),
        B.hears("MSG two 2 2\r\nho"),
        A.is_quiet(),
        B.is_quiet(),
    ])
}

const TALK: &str = "SUB one 1\r\nPUB one back 5\r\nhe\r\no\r\nUNSUB 1\r\nPING";
const ANSWER: &str = "MSG one 1 back 5\r\nhe\r\no\r\nPONG";

fn frames_need_not_end_where_messages_do() -> Case {
    let mut steps: Vec<Step> = vec![A.opens_websocket(), A.sends(r#"CONNECT {"verbose":false}"#)];
    for count in 1..=TALK.len() + 1 {
        steps.push(A.sends_cut(TALK, count));
        steps.push(A.hears(ANSWER));
    }
    steps.push(A.sends_slowly(TALK));
    steps.push(A.hears(ANSWER));
    steps.push(A.is_quiet());
    Case::new(steps)
}

fn a_frame_may_hold_many_operations() -> Case {
    Case::new([
        A.opens_websocket(),
        A.sends(&format!(
            "CONNECT {{\"verbose\":false}}\r\n{}",
            [TALK; 100].join("\r\n")
        )),
        A.hears(&[ANSWER; 100].join("\r\n")),
        A.is_quiet(),
    ])
}

fn frames_of_text_are_taken() -> Case {
    Case::new([
        A.opens_websocket(),
        A.sends_text_frame(r#"CONNECT {"verbose":false}"#),
        A.sends_text_frame("SUB one 1"),
        A.sends_text_frame("PUB one 3\r\n\u{20ac}"),
        A.hears("MSG one 1 3\r\n\u{20ac}"),
        A.is_quiet(),
    ])
}

fn large_messages_go_both_ways() -> Case {
    let payload = "0123456789abcdef".repeat(40_000);
    Case::new([
        A.opens_websocket(),
        A.sends(r#"CONNECT {"verbose":false}"#),
        A.sends("SUB one 1"),
        A.sends(&format!("PUB one 640000\r\n{payload}")),
        A.hears(&format!("MSG one 1 640000\r\n{payload}")),
        A.is_quiet(),
    ])
}

fn tokens_open_by_websocket_too() -> Case {
    Case::on(
        Setup::token("secret"),
        [
            A.opens_websocket(),
            A.was_told("that one must sign in", |info| info["auth_required"] == true),
            A.sends(r#"CONNECT {"verbose":false,"auth_token":"secret"}"#),
            A.is_quiet(),
            B.opens_websocket(),
            B.sends(r#"CONNECT {"verbose":false,"auth_token":"wrong"}"#),
            B.is_told("Authorization Violation"),
            B.is_cut(),
        ],
    )
}

/// A case of raw frames.
fn raw(says: &str, act: impl FnOnce(&mut Frames, Broker) + 'static) -> Case {
    raw_on(Setup::open(), says, act)
}

/// The same with a broker set up for it. The connection is upgraded and was told INFO.
fn raw_on(setup: Setup, says: &str, act: impl FnOnce(&mut Frames, Broker) + 'static) -> Case {
    Case::on(
        setup,
        [then(says, |stage| {
            let mut frames = Frames::open(&stage.running.websocket);
            frames.expect_info();
            act(&mut frames, stage.broker);
        })],
    )
}

/// The head of the answer to an upgrade.
fn answer(stage: &Stage, method: &str, headers: &[&str]) -> String {
    let place = &stage.running.websocket;
    Frames::connect(&place.address).ask(&format!("{method} {}", place.path), headers)
}

#[track_caller]
fn has_status(head: &str, status: u16) {
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
}

fn a_message_of_many_frames_is_a_stream_too() -> Case {
    raw("one message in three frames, a PING frame within", |frames, _| {
        frames.send(kind::BINARY, b"CONNECT {\"verbose\":fal");
        frames.send(kind::CONTINUATION, b"se}\r\nPI");
        frames.send(FINAL | kind::PING, b"there?");
        frames.send(FINAL | kind::CONTINUATION, b"NG\r\n");
        assert_eq!(frames.frame(), (FINAL | kind::PONG, b"there?".to_vec()));
        frames.expect("PONG\r\n");
    })
}

/// The key and its answer are those of RFC 6455, 1.3.
fn the_upgrade_is_answered_by_the_rules() -> Case {
    Case::new([then("the upgrade is answered", |stage| {
        let head = answer(stage, "GET", &UPGRADE);
        has_status(&head, 101);
        let head = head.to_lowercase();
        for (name, wanted) in [
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("sec-websocket-accept", "s3pplmbitxaq9kygzzhzrbk+xoo="),
        ] {
            let says_it = |line: &str| {
                let (found, words) = line.split_once(": ").unwrap_or_default();
                found == name && words.split(", ").any(|word| word == wanted)
            };
            assert!(head.lines().any(says_it), "{name}: {wanted} in {head}");
        }
        assert!(!head.contains("sec-websocket-protocol"), "{head}");
    })])
}

fn any_path_is_a_client() -> Case {
    Case::new([then("paths", |stage| {
        for path in ["/", "/nats", "/a/b?c=d"] {
            let mut frames = Frames::connect(&stage.running.websocket.address);
            has_status(&frames.ask(&format!("GET {path}"), &UPGRADE), 101);
            frames.expect_info();
            frames.send(FINAL | kind::BINARY, b"PING\r\n");
            frames.expect("PONG\r\n");
        }
    })])
}

fn compression_is_not_offered() -> Case {
    Case::new([then("the extension is passed over", |stage| {
        let extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        let head = answer(stage, "GET", &[&UPGRADE[..], &[extension]].concat());
        has_status(&head, 101);
        assert!(
            !head.to_lowercase().contains("sec-websocket-extensions"),
            "{head}"
        );
    })])
}

/// On the port that ours shares with others it may be a request for something else.
fn an_upgrade_that_breaks_the_rules_is_refused() -> Case {
    Case::new([then("refused", |stage| {
        let refused = |head: &str, status: u16| match stage.broker {
            Broker::Nats2_9 | Broker::Nats2_15 => head.starts_with(&format!("HTTP/1.1 {status} ")),
            Broker::Ours => !head.starts_with("HTTP/1.1 101 "),
        };
        for (left_out, instead) in [
            ("Upgrade", ""),
            ("Upgrade", "Upgrade: h2c"),
            ("Connection", ""),
            ("Connection", "Connection: close"),
            ("Sec-WebSocket-Key", ""),
            ("Sec-WebSocket-Version", ""),
            ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"),
        ] {
            let start = format!("{left_out}:");
            let kept = UPGRADE.into_iter().filter(|header| !header.starts_with(&start));
            let headers: Vec<&str> = kept.chain((!instead.is_empty()).then_some(instead)).collect();
            let head = answer(stage, "GET", &headers);
            assert!(refused(&head, 400), "{left_out}, {instead}: {head}");
        }
        let head = answer(stage, "POST", &[&UPGRADE[..], &["Content-Length: 0"]].concat());
        assert!(refused(&head, 405), "{head}");
    })])
}

/// Statuses of upgrades that name each of these as their origin, and of one that names the broker's `own` address.
fn origins(origins: Origins, expected: &'static [(&str, u16)], own: u16) -> Case {
    Case::on(
        Setup::open().origins(origins),
        [then("origins", move |stage| {
            let address = &stage.running.websocket.address;
            // Pages of ours come from where its broker is.
            let own = match stage.broker {
                Broker::Nats2_9 | Broker::Nats2_15 => own,
                Broker::Ours => 101,
            };
            let own_page = format!("http://{address}");
            for (origin, status) in expected.iter().copied().chain([(own_page.as_str(), own)]) {
                let mut headers = vec![format!("Host: {address}")];
                headers.extend(UPGRADE.into_iter().skip(1).map(str::to_owned));
                if !origin.is_empty() {
                    headers.push(format!("Origin: {origin}"));
                }
                let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
                let head = answer(stage, "GET", &headers);
                assert!(
                    head.starts_with(&format!("HTTP/1.1 {status} ")),
                    "{origin}: {head}"
                );
            }
        })],
    )
}

fn pages_of_any_site_may_be_let_in() -> Case {
    origins(
        Origins::Any,
        &[("", 101), ("https://evil.example", 101), ("null", 101)],
        101,
    )
}

fn pages_of_other_sites_may_be_kept_out() -> Case {
    origins(
        Origins::Same,
        &[
            ("", 101),
            ("https://evil.example", 403),
            ("http://127.0.0.1:1", 403),
            ("null", 403),
        ],
        101,
    )
}

fn pages_of_named_sites_may_be_let_in() -> Case {
    origins(
        Origins::Of(&["https://good.example", "http://dev.example:8080"]),
        &[
            ("", 101),
            ("https://good.example", 101),
            ("https://good.example:443", 101),
            ("http://dev.example:8080", 101),
            ("http://good.example", 403),
            ("https://good.example:8443", 403),
            ("https://more.good.example", 403),
            ("https://good.example.evil.example", 403),
        ],
        403,
    )
}

fn info_comes_in_a_binary_frame() -> Case {
    raw("INFO came", |frames, _| {
        frames.send(FINAL | kind::BINARY, b"PING\r\n");
        frames.expect("PONG\r\n");
    })
}

fn a_frame_without_mask_ends_it() -> Case {
    raw("no mask", |frames, broker| {
        frames.send_unmasked(FINAL | kind::BINARY, b"PING\r\n");
        frames.expect_refusal(broker, "");
    })
}

/// Between servers it saves work.
fn masks_may_be_done_without_if_both_agree() -> Case {
    Case::new([then("no masks", |stage| {
        let place = &stage.running.websocket;
        let mut frames = Frames::connect(&place.address);
        let first = format!("GET {}", place.path);
        let head = frames.ask(&first, &[&UPGRADE[..], &["Nats-No-Masking: true"]].concat());
        has_status(&head, 101);
        assert!(
            head.to_lowercase().contains("nats-no-masking: true\r\n"),
            "{head}"
        );
        frames.expect_info();
        frames.send_unmasked(FINAL | kind::BINARY, b"PING\r\n");
        frames.expect("PONG\r\n");
    })])
}

fn ping_frames_are_answered() -> Case {
    raw("ping frames", |frames, _| {
        for payload in [b"".as_slice(), b"x", &[7; 125]] {
            frames.send(FINAL | kind::PING, payload);
            assert_eq!(frames.frame(), (FINAL | kind::PONG, payload.to_vec()));
        }
    })
}

fn pong_frames_are_passed_over() -> Case {
    raw("pong frames", |frames, _| {
        frames.send(FINAL | kind::PONG, b"here");
        frames.send(FINAL | kind::BINARY, b"PING\r\n");
        frames.expect("PONG\r\n");
    })
}

fn a_close_frame_is_answered_and_ends_it() -> Case {
    raw("close", |frames, _| {
        frames.send(FINAL | kind::CLOSE, &1000_u16.to_be_bytes());
        frames.expect_close(1000);
    })
}

/// Each frame is against the rules.
fn breaks_the_rules(send: &'static [(u8, &[u8])]) -> Case {
    raw("against the rules", move |frames, broker| {
        for (first, payload) in send {
            frames.send(*first, payload);
        }
        frames.expect_refusal(broker, "");
    })
}

fn a_frame_of_an_unknown_kind_ends_it() -> Case {
    breaks_the_rules(&[(FINAL | 3, b"PING\r\n")])
}

fn a_frame_with_reserved_bits_ends_it() -> Case {
    breaks_the_rules(&[(FINAL | 0x40 | kind::BINARY, b"PING\r\n")])
}

fn a_continuation_of_nothing_ends_it() -> Case {
    breaks_the_rules(&[(FINAL | kind::CONTINUATION, b"PING\r\n")])
}

fn a_message_within_a_message_ends_it() -> Case {
    breaks_the_rules(&[(kind::BINARY, b"PI"), (FINAL | kind::TEXT, b"NG\r\n")])
}

fn a_long_control_frame_ends_it() -> Case {
    breaks_the_rules(&[(FINAL | kind::PING, &[0; 126])])
}

fn a_control_frame_in_parts_ends_it() -> Case {
    breaks_the_rules(&[(kind::PING, b"x")])
}

fn an_empty_frame_is_passed_over() -> Case {
    raw("empty frames", |frames, _| {
        frames.send(FINAL | kind::BINARY, b"PI");
        frames.send(FINAL | kind::BINARY, b"");
        frames.send(FINAL | kind::BINARY, b"NG\r\n");
        frames.expect("PONG\r\n");
    })
}

/// Real servers take what came of it. Ours waits for whole frames, so that it wants none that is too long; it neither
/// waits for this one nor keeps room for it.
fn a_frame_of_an_exabyte_is_nothing_to_wait_for() -> Case {
    raw("a frame of an exabyte", |frames, broker| {
        let head = [
            &[FINAL | kind::BINARY, 0xff][..],
            &(1_u64 << 60).to_be_bytes(),
            &[0; 4],
        ]
        .concat();
        frames.send_raw(&head);
        if broker == Broker::Ours {
            return frames.expect_close(1009);
        }
        frames.send_raw(b"PING\r\n");
        frames.expect("PONG\r\n");
        frames.send_raw(b"PING\r\n");
        frames.expect("PONG\r\n");
    })
}

fn a_silent_client_is_closed_with_1001() -> Case {
    let setup = Setup::open().pings(Duration::from_millis(250), 1);
    raw_on(setup, "silence", |frames, broker| {
        frames.send(FINAL | kind::BINARY, b"CONNECT {\"verbose\":false}\r\n");
        frames.expect("PING\r\n");
        frames.expect("-ERR 'Stale Connection'\r\n");
        // 1006 is for no frame at all, says RFC 6455; servers have learned that since.
        frames.expect_close(match broker {
            Broker::Nats2_9 => 1006,
            Broker::Nats2_15 | Broker::Ours => 1001,
        });
    })
}

fn who_takes_too_long_to_sign_in_is_closed_with_1008() -> Case {
    let setup = Setup::token("secret").auth_timeout(0.2);
    raw_on(setup, "silence", |frames, _| {
        frames.expect("-ERR 'Authentication Timeout'\r\n");
        frames.expect_close(1008);
    })
}

fn a_parse_error_closes_with_1002() -> Case {
    raw("a parse error", |frames, broker| {
        frames.send(FINAL | kind::BINARY, b"HELLO\r\n");
        frames.expect_refusal(broker, "-ERR 'Unknown Protocol Operation'\r\n");
    })
}

fn a_violation_closes_with_1008() -> Case {
    raw_on(Setup::token("secret"), "no token", |frames, _| {
        frames.send(FINAL | kind::BINARY, b"PING\r\n");
        frames.expect("-ERR 'Authorization Violation'\r\n");
        frames.expect_close(1008);
    })
}

fn a_payload_too_large_closes_with_1009() -> Case {
    raw_on(Setup::open().max_payload(100), "a large payload", |frames, _| {
        frames.send(FINAL | kind::BINARY, b"PUB one 101\r\n");
        frames.expect("-ERR 'Maximum Payload Violation'\r\n");
        frames.expect_close(1009);
    })
}
