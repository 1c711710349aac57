//! Subscriptions: who gets what, in which order, and until when.
//!
//! Source: `server/client.go` `processSub()`, `processUnsub()`, `deliverMsg()`, `subsAtLimit()`.

use crate::case::{A, B, C, Case, Step};
use crate::servers::Setup;

on_every_broker![
    every_subscriber_gets_a_copy,
    one_connection_gets_a_copy_for_each_of_its_subscriptions,
    messages_come_in_the_order_in_which_they_were_sent,
    a_sid_in_use_keeps_its_first_subject,
    a_sid_in_use_says_ok_all_the_same,
    sids_of_different_connections_have_nothing_in_common,
    who_is_late_gets_nothing,
    unsub_ends_it_at_once,
    unsub_of_an_unknown_sid_is_passed_over,
    unsub_of_one_leaves_the_others,
    a_sid_is_free_after_unsub,
    unsub_with_a_maximum_ends_it_after_so_many,
    unsub_with_a_maximum_counts_what_came_before,
    unsub_with_a_maximum_that_is_reached_ends_it_at_once,
    unsub_with_a_maximum_of_none_ends_it_at_once,
    unsub_with_a_maximum_that_is_no_number_ends_it_at_once,
    a_later_unsub_overrides_an_earlier_maximum,
    a_sid_is_free_after_its_maximum,
    a_maximum_holds_within_one_burst,
    who_left_gets_nothing,
    no_more_subscriptions_than_allowed,
    a_subscription_that_ended_makes_room,
    reply_subjects_go_with_the_message,
    echo_false_gets_nothing_of_its_own,
    echo_false_lets_others_hear,
];

fn publishes(payloads: &[&str]) -> Vec<Step> {
    payloads
        .iter()
        .map(|payload| B.sends(&format!("PUB one {}\r\n{payload}", payload.len())))
        .chain([B.is_quiet()])
        .collect()
}

fn gets(sid: &str, payloads: &[&str]) -> Vec<Step> {
    payloads
        .iter()
        .map(|payload| A.hears(&format!("MSG one {sid} {}\r\n{payload}", payload.len())))
        .chain([A.is_quiet()])
        .collect()
}

/// A says `lines`, B publishes; of that A gets only what the case says.
fn subscribed(lines: &[&str], then: impl IntoIterator<Item = Vec<Step>>) -> Case {
    let joined = [A.joins(), B.joins()];
    let said = lines.iter().map(|line| A.sends(line));
    let steps = joined.into_iter().chain(said).chain([A.is_quiet()]);
    Case::new(steps.chain(then.into_iter().flatten()).collect::<Vec<_>>())
}

fn every_subscriber_gets_a_copy() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("SUB one b"),
        B.is_quiet(),
        C.joins(),
        C.sends("SUB * c"),
        C.sends("PUB one 2\r\nhi"),
        C.hears("MSG one c 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        B.hears("MSG one b 2\r\nhi"),
        A.is_quiet(),
        B.is_quiet(),
        C.is_quiet(),
    ])
}

fn one_connection_gets_a_copy_for_each_of_its_subscriptions() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1\r\nSUB one 2\r\nSUB * 3\r\nSUB > 4\r\nSUB two 5"),
        A.sends("PUB one 2\r\nhi"),
        A.hears_in_any_order(&[
            "MSG one 1 2\r\nhi",
            "MSG one 2 2\r\nhi",
            "MSG one 3 2\r\nhi",
            "MSG one 4 2\r\nhi",
        ]),
        A.is_quiet(),
    ])
}

fn messages_come_in_the_order_in_which_they_were_sent() -> Case {
    let sent: String = (100..600).map(|n| format!("PUB one.{n} 3\r\n{n}\r\n")).collect();
    let heard: String = (100..600)
        .map(|n| format!("MSG one.{n} 1 3\r\n{n}\r\n"))
        .collect();
    Case::new([
        A.joins(),
        A.sends("SUB one.* 1"),
        A.is_quiet(),
        B.joins(),
        B.sends_bytes(sent),
        B.is_quiet(),
        A.hears_bytes(heard),
        A.is_quiet(),
    ])
}

fn a_sid_in_use_keeps_its_first_subject() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends("SUB two 1"),
        A.sends("PUB two 2\r\nho"),
        A.is_quiet(),
        A.sends("PUB one 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.sends("UNSUB 1"),
        A.sends("PUB one 2\r\nhi"),
        A.sends("PUB two 2\r\nho"),
        A.is_quiet(),
    ])
}

fn a_sid_in_use_says_ok_all_the_same() -> Case {
    Case::new([
        A.opens(),
        A.sends("CONNECT {}\r\nSUB one 1\r\nSUB two 1"),
        A.hears("+OK\r\n+OK\r\n+OK"),
        A.is_quiet(),
    ])
}

fn sids_of_different_connections_have_nothing_in_common() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("SUB two 1"),
        B.sends("PUB two 2\r\nho"),
        B.hears("MSG two 1 2\r\nho"),
        B.sends("PUB one 2\r\nhi"),
        B.sends("UNSUB 1"),
        B.sends("PUB one 2\r\nhi"),
        B.is_quiet(),
        A.hears("MSG one 1 2\r\nhi\r\nMSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn who_is_late_gets_nothing() -> Case {
    Case::new([
        A.joins(),
        A.sends("PUB one 2\r\nhi"),
        A.sends("SUB one 1"),
        A.is_quiet(),
    ])
}

fn unsub_ends_it_at_once() -> Case {
    subscribed(&["SUB one 1", "UNSUB 1"], [publishes(&["a"]), gets("1", &[])])
}

fn unsub_of_an_unknown_sid_is_passed_over() -> Case {
    subscribed(
        &["UNSUB 9", "UNSUB 9 1", "SUB one 1"],
        [publishes(&["a"]), gets("1", &["a"])],
    )
}

fn unsub_of_one_leaves_the_others() -> Case {
    subscribed(
        &["SUB one 1", "SUB one 2", "SUB one 3", "UNSUB 1", "UNSUB 3"],
        [publishes(&["a"]), gets("2", &["a"])],
    )
}

fn a_sid_is_free_after_unsub() -> Case {
    subscribed(
        &["SUB other 1", "UNSUB 1", "SUB one 1"],
        [publishes(&["a"]), gets("1", &["a"])],
    )
}

fn unsub_with_a_maximum_ends_it_after_so_many() -> Case {
    subscribed(
        &["SUB one 1", "UNSUB 1 2"],
        [publishes(&["a", "b", "c"]), gets("1", &["a", "b"])],
    )
}

fn unsub_with_a_maximum_counts_what_came_before() -> Case {
    subscribed(
        &["SUB one 1"],
        [
            publishes(&["a", "b"]),
            gets("1", &["a", "b"]),
            vec![A.sends("UNSUB 1 3"), A.is_quiet()],
            publishes(&["c", "d"]),
            gets("1", &["c"]),
        ],
    )
}

fn unsub_with_a_maximum_that_is_reached_ends_it_at_once() -> Case {
    subscribed(
        &["SUB one 1"],
        [
            publishes(&["a", "b"]),
            gets("1", &["a", "b"]),
            vec![A.sends("UNSUB 1 2"), A.is_quiet()],
            publishes(&["c"]),
            gets("1", &[]),
        ],
    )
}

fn unsub_with_a_maximum_of_none_ends_it_at_once() -> Case {
    subscribed(&["SUB one 1", "UNSUB 1 0"], [publishes(&["a"]), gets("1", &[])])
}

fn unsub_with_a_maximum_that_is_no_number_ends_it_at_once() -> Case {
    subscribed(
        &["SUB one 1", "UNSUB 1 many", "SUB one 2", "UNSUB 2 -5"],
        [publishes(&["a"]), gets("1", &[])],
    )
}

fn a_later_unsub_overrides_an_earlier_maximum() -> Case {
    subscribed(
        &["SUB one 1", "UNSUB 1 1", "UNSUB 1 3"],
        [
            publishes(&["a", "b"]),
            gets("1", &["a", "b"]),
            vec![A.sends("UNSUB 1"), A.is_quiet()],
            publishes(&["c"]),
            gets("1", &[]),
        ],
    )
}

fn a_sid_is_free_after_its_maximum() -> Case {
    subscribed(
        &["SUB one 1", "UNSUB 1 1"],
        [
            publishes(&["a", "b"]),
            gets("1", &["a"]),
            vec![A.sends("SUB one 1"), A.is_quiet()],
            publishes(&["c", "d"]),
            gets("1", &["c", "d"]),
        ],
    )
}

fn a_maximum_holds_within_one_burst() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1\r\nUNSUB 1 2\r\nPUB one 1\r\na\r\nPUB one 1\r\nb\r\nPUB one 1\r\nc\r\nSUB one 1\r\nPUB one 1\r\nd"),
        A.hears("MSG one 1 1\r\na\r\nMSG one 1 1\r\nb\r\nMSG one 1 1\r\nd"),
        A.is_quiet(),
    ])
}

fn who_left_gets_nothing() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        A.leaves(),
        A.joins(),
        B.joins(),
        B.sends("PUB one 2\r\nhi"),
        B.is_quiet(),
        A.is_quiet(),
    ])
}

fn no_more_subscriptions_than_allowed() -> Case {
    Case::on(
        Setup::open().max_subscriptions(2),
        [
            A.joins(),
            A.sends("SUB one 1"),
            A.sends("SUB two 2 2"),
            A.is_quiet(),
            A.sends("SUB three 3"),
            A.is_told("maximum subscriptions exceeded"),
            A.sends("PUB three 2\r\nhi"),
            A.is_quiet(),
            A.sends("PUB one 2\r\nhi"),
            A.hears("MSG one 1 2\r\nhi"),
            A.is_quiet(),
            // Each connection has its own count.
            B.joins(),
            B.sends("SUB three 3"),
            B.is_quiet(),
        ],
    )
}

fn a_subscription_that_ended_makes_room() -> Case {
    Case::on(
        Setup::open().max_subscriptions(1),
        [
            A.joins(),
            A.sends("SUB one 1\r\nUNSUB 1\r\nSUB one 2\r\nUNSUB 2 1\r\nPUB one 1\r\na\r\nSUB one 3"),
            A.hears("MSG one 2 1\r\na"),
            A.is_quiet(),
            // One that is there already asks for room too.
            A.sends("SUB one 3"),
            A.is_told("maximum subscriptions exceeded"),
            A.is_quiet(),
        ],
    )
}

fn reply_subjects_go_with_the_message() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB ask 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("SUB _INBOX.b.* 7"),
        B.sends("PUB ask _INBOX.b.1 3\r\nwhy"),
        B.is_quiet(),
        A.hears("MSG ask 1 _INBOX.b.1 3\r\nwhy"),
        A.sends("PUB _INBOX.b.1 7\r\nbecause"),
        A.is_quiet(),
        B.hears("MSG _INBOX.b.1 7 7\r\nbecause"),
        B.is_quiet(),
    ])
}

const NO_ECHO: &str = r#"{"verbose":false,"pedantic":false,"echo":false}"#;

fn echo_false_gets_nothing_of_its_own() -> Case {
    Case::new([
        A.joins_with(NO_ECHO),
        A.sends("SUB one 1\r\nSUB one queue 2"),
        A.sends("PUB one 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn echo_false_lets_others_hear() -> Case {
    Case::new([
        A.joins_with(NO_ECHO),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("SUB one 2"),
        B.is_quiet(),
        A.sends("PUB one 2\r\nhi"),
        A.is_quiet(),
        B.hears("MSG one 2 2\r\nhi"),
        B.sends("PUB one 2\r\nho"),
        B.hears("MSG one 2 2\r\nho"),
        B.is_quiet(),
        A.hears("MSG one 1 2\r\nho"),
        A.is_quiet(),
    ])
}
