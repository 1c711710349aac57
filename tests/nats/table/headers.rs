//! Messages with headers: HPUB, HMSG, and clients that do not know them.
//!
//! To a broker they are bytes; only clients look inside.
//!
//! Source: `server/client.go` `processHeaderPub()`, `deliverMsg()`, `msgHeader()`; ADR-4 of nats-architecture-and-design.

use crate::case::{A, B, Case, Step};

on_every_broker![
    headers_and_payload_arrive_as_they_were_sent,
    headers_with_a_reply_subject,
    headers_without_payload,
    a_status_stands_in_the_first_line,
    messages_without_headers_stay_so,
    who_does_not_know_headers_gets_the_payload_alone,
    each_of_two_gets_what_it_knows,
    headers_go_to_queue_members,
    headers_may_be_any_bytes,
    headers_of_no_bytes,
    hpub_of_who_did_not_ask_for_headers_is_cut,
    hpub_before_connect_is_cut,
    headers_longer_than_the_message_are_cut,
    sizes_that_are_no_numbers_are_cut,
];

const HEADERS: &str = r#"{"verbose":false,"pedantic":false,"headers":true}"#;

fn headers_and_payload_arrive_as_they_were_sent() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("HPUB one 35 37\r\nNATS/1.0\r\nKey: Value\r\nkey:other\r\n\r\nhi"),
        A.hears("HMSG one 1 35 37\r\nNATS/1.0\r\nKey: Value\r\nkey:other\r\n\r\nhi"),
        A.is_quiet(),
    ])
}

fn headers_with_a_reply_subject() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("HPUB one back 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.hears("HMSG one 1 back 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.is_quiet(),
    ])
}

fn headers_without_payload() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("HPUB one 18 18\r\nNATS/1.0\r\na: b\r\n\r\n"),
        A.hears("HMSG one 1 18 18\r\nNATS/1.0\r\na: b\r\n\r\n"),
        A.is_quiet(),
    ])
}

fn a_status_stands_in_the_first_line() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("HPUB one 31 31\r\nNATS/1.0 100 Idle Heartbeat\r\n\r\n"),
        A.hears("HMSG one 1 31 31\r\nNATS/1.0 100 Idle Heartbeat\r\n\r\n"),
        A.is_quiet(),
    ])
}

fn messages_without_headers_stay_so() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn who_does_not_know_headers_gets_the_payload_alone() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins_with(HEADERS),
        B.sends("HPUB one 12 14\r\nNATS/1.0\r\n\r\nhi"),
        B.sends("HPUB one back 12 14\r\nNATS/1.0\r\n\r\nho"),
        B.sends("HPUB one 12 12\r\nNATS/1.0\r\n\r\n"),
        B.is_quiet(),
        A.hears("MSG one 1 2\r\nhi"),
        A.hears("MSG one 1 back 2\r\nho"),
        A.hears("MSG one 1 0\r\n"),
        A.is_quiet(),
    ])
}

fn each_of_two_gets_what_it_knows() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins_with(HEADERS),
        B.sends("SUB one 2\r\nSUB * 3"),
        B.sends("HPUB one 12 14\r\nNATS/1.0\r\n\r\nhi"),
        B.hears_in_any_order(&[
            "HMSG one 2 12 14\r\nNATS/1.0\r\n\r\nhi",
            "HMSG one 3 12 14\r\nNATS/1.0\r\n\r\nhi",
        ]),
        B.is_quiet(),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn headers_go_to_queue_members() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one queue 1"),
        A.sends("HPUB one 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.hears("HMSG one 1 12 14\r\nNATS/1.0\r\n\r\nhi"),
        A.is_quiet(),
    ])
}

fn headers_may_be_any_bytes() -> Case {
    let bytes = b"\0\xff\r\nnot a header";
    let total = bytes.len() + 2;
    let message = [
        format!("{} {total}\r\n", bytes.len()).as_bytes(),
        bytes.as_slice(),
        b"hi\r\n",
    ]
    .concat();
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends_bytes([b"HPUB one ", message.as_slice()].concat()),
        A.hears_bytes([b"HMSG one 1 ", message.as_slice()].concat()),
        A.is_quiet(),
    ])
}

fn headers_of_no_bytes() -> Case {
    Case::new([
        A.joins_with(HEADERS),
        A.sends("SUB one 1"),
        A.sends("HPUB one 0 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

const HPUB: &str = "HPUB one 12 14\r\nNATS/1.0\r\n\r\nhi";

fn hpub_of_who_did_not_ask_for_headers_is_cut() -> Case {
    Case::new([A.joins(), A.sends(HPUB), A.is_cut()])
}

fn hpub_before_connect_is_cut() -> Case {
    Case::new([A.opens(), A.sends(HPUB), A.is_cut()])
}

fn each_is_cut(lines: &[&str]) -> Case {
    let steps = lines
        .iter()
        .flat_map(|line| [A.joins_with(HEADERS), A.sends(line), A.is_cut()]);
    Case::new(steps.collect::<Vec<Step>>())
}

fn headers_longer_than_the_message_are_cut() -> Case {
    each_is_cut(&["HPUB one 13 12\r\nNATS/1.0\r\n\r\n", "HPUB one 1 0"])
}

fn sizes_that_are_no_numbers_are_cut() -> Case {
    each_is_cut(&[
        "HPUB one x 12",
        "HPUB one 12 x",
        "HPUB one -1 12",
        "HPUB one 12 -1",
    ])
}
