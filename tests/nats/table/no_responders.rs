//! Requests that nobody hears: the broker answers for them.
//!
//! Source: `server/client.go` `processInboundClientMsg()`, `subForReply()`.

use crate::case::{A, B, Case, Step, differs};

on_every_broker![
    a_request_to_nobody_is_answered_by_503,
    a_request_with_headers_to_nobody_is_answered_by_503,
    the_503_goes_to_the_subscription_of_the_reply,
    the_503_comes_after_ok,
    the_503_is_no_delivery_to_a_maximum,
    nobody_is_told_who_did_not_ask,
    no_reply_subject_no_answer,
    no_subscription_to_the_reply_no_answer,
    another_connection_gets_no_503,
    a_request_that_somebody_hears_is_not_answered,
    a_queue_member_is_somebody,
    ones_own_subscription_is_nobody_without_echo,
    ones_own_subscription_is_somebody_with_echo,
];

const ASKS: &str = r#"{"verbose":false,"pedantic":false,"headers":true,"no_responders":true}"#;
const ASKS_WITHOUT_ECHO: &str =
    r#"{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"echo":false}"#;

/// A hears that nobody heard what was published to `ask` with this reply.
fn is_told_503(reply: &str, sid: &str) -> Step {
    let short = format!("HMSG {reply} {sid} 16 16\r\nNATS/1.0 503\r\n\r\n");
    let named = format!("HMSG {reply} {sid} 35 35\r\nNATS/1.0 503\r\nNats-Subject: ask\r\n\r\n");
    differs([A.hears(&short)], [A.hears(&named)])
}

fn a_request_to_nobody_is_answered_by_503() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB back 1"),
        A.sends("PUB ask back 2\r\nhi"),
        is_told_503("back", "1"),
        A.is_quiet(),
    ])
}

fn a_request_with_headers_to_nobody_is_answered_by_503() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB back 1"),
        A.sends("HPUB ask back 12 14\r\nNATS/1.0\r\n\r\nhi"),
        is_told_503("back", "1"),
        A.is_quiet(),
    ])
}

fn the_503_goes_to_the_subscription_of_the_reply() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB other 1\r\nSUB _INBOX.a.* 2\r\nSUB ask.more 3"),
        A.sends("PUB ask _INBOX.a.7 2\r\nhi"),
        is_told_503("_INBOX.a.7", "2"),
        A.is_quiet(),
    ])
}

fn the_503_comes_after_ok() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"headers":true,"no_responders":true}"#),
        A.sends("SUB back 1"),
        A.sends("PUB ask back 2\r\nhi"),
        A.hears("+OK\r\n+OK\r\n+OK"),
        is_told_503("back", "1"),
        A.is_quiet(),
    ])
}

fn the_503_is_no_delivery_to_a_maximum() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB back 1\r\nUNSUB 1 1"),
        A.sends("PUB ask back 2\r\nhi"),
        is_told_503("back", "1"),
        A.sends("PUB back 2\r\nho"),
        A.hears("MSG back 1 2\r\nho"),
        A.sends("PUB back 2\r\nho"),
        A.is_quiet(),
    ])
}

fn nobody_is_told_who_did_not_ask() -> Case {
    Case::new([
        A.joins_with(r#"{"verbose":false,"headers":true}"#),
        A.sends("SUB back 1"),
        A.sends("PUB ask back 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn no_reply_subject_no_answer() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB back 1"),
        A.sends("PUB ask 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn no_subscription_to_the_reply_no_answer() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB other 1"),
        A.sends("PUB ask back 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn another_connection_gets_no_503() -> Case {
    Case::new([
        A.joins_with(ASKS),
        B.joins_with(ASKS),
        B.sends("SUB back 1"),
        B.is_quiet(),
        A.sends("PUB ask back 2\r\nhi"),
        A.is_quiet(),
        B.is_quiet(),
    ])
}

fn a_request_that_somebody_hears_is_not_answered() -> Case {
    Case::new([
        B.joins(),
        B.sends("SUB ask 7"),
        B.is_quiet(),
        A.joins_with(ASKS),
        A.sends("SUB back 1"),
        A.sends("PUB ask back 2\r\nhi"),
        A.is_quiet(),
        B.hears("MSG ask 7 back 2\r\nhi"),
        B.is_quiet(),
    ])
}

fn a_queue_member_is_somebody() -> Case {
    Case::new([
        B.joins(),
        B.sends("SUB * queue 7"),
        B.is_quiet(),
        A.joins_with(ASKS),
        A.sends("SUB back 1"),
        A.sends("PUB ask back 2\r\nhi"),
        A.is_quiet(),
        B.hears("MSG ask 7 back 2\r\nhi"),
        B.is_quiet(),
    ])
}

fn ones_own_subscription_is_nobody_without_echo() -> Case {
    Case::new([
        A.joins_with(ASKS_WITHOUT_ECHO),
        A.sends("SUB back 1\r\nSUB ask 2"),
        A.sends("PUB ask back 2\r\nhi"),
        is_told_503("back", "1"),
        A.is_quiet(),
    ])
}

fn ones_own_subscription_is_somebody_with_echo() -> Case {
    Case::new([
        A.joins_with(ASKS),
        A.sends("SUB back 1\r\nSUB ask 2"),
        A.sends("PUB ask back 2\r\nhi"),
        A.hears("MSG ask 2 back 2\r\nhi"),
        A.is_quiet(),
    ])
}
