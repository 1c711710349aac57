//! How bytes become operations: cuts anywhere, and what is not an operation.
//!
//! A line that cannot be read as any verb is answered and then cut off; a verb with arguments that make no sense is
//! cut off without a word.
//!
//! Source: `server/parser.go` `parse()`, `overMaxControlLineLimit()`; `server/client.go` `processPub()`,
//! `processHeaderPub()`, `parseSub()`, `processUnsub()`; `server/util.go` `parseSize()`.

use crate::case::{A, B, Case, Step, unlike};
use crate::servers::Setup;

on_every_broker![
    a_talk_may_be_cut_at_every_byte,
    a_talk_may_come_byte_by_byte,
    many_operations_may_come_at_once,
    a_payload_may_hold_any_bytes,
    an_empty_payload_is_a_message,
    a_large_payload_in_pieces_arrives_whole,
    a_payload_longer_than_said_is_a_parse_error,
    a_payload_shorter_than_said_swallows_what_follows,
    a_payload_wants_carriage_return_and_line_feed,
    an_unknown_verb_is_a_parse_error,
    a_line_of_nothing_is_a_parse_error,
    a_blank_before_a_verb_is_a_parse_error,
    a_verb_without_blank_is_a_parse_error,
    verbs_of_servers_are_not_for_clients,
    verbs_between_servers_are_not_for_clients,
    ok_of_a_client_is_passed_over,
    an_error_of_a_client_ends_it,
    info_of_a_client_is_passed_over,
    ping_and_pong_with_more_behind_them_count,
    pub_without_size_is_cut,
    pub_with_too_many_arguments_is_cut,
    pub_of_a_size_that_is_no_number_is_cut,
    pub_of_a_negative_size_is_cut,
    pub_of_a_size_beyond_all_numbers_is_cut,
    pub_of_a_size_of_ten_digits_is_cut,
    pub_of_a_size_with_zeros_before_it_counts,
    sub_without_sid_is_cut,
    sub_with_too_many_arguments_is_cut,
    unsub_without_sid_is_cut,
    unsub_with_too_many_arguments_is_cut,
    a_sid_may_be_any_word,
    a_line_as_long_as_is_allowed_counts,
    a_line_longer_than_allowed_is_cut,
    a_line_may_have_4096_bytes_by_default,
    a_message_may_have_a_mebibyte_by_default,
    a_line_without_end_is_cut,
    a_long_connect_is_cut,
    a_payload_as_large_as_is_allowed_arrives,
    a_payload_larger_than_allowed_is_cut,
    headers_count_into_the_limit_of_payloads,
    what_came_before_an_error_was_done,
    who_sends_no_more_is_cut,
];

/// All verbs, one delivery of each kind; what is heard back does not depend on the cut.
const TALK: &str =
    "SUB one 1\r\nPUB one back 5\r\nhe\r\no\r\nHPUB one 12 15\r\nNATS/1.0\r\n\r\nyes\r\nUNSUB 1\r\nPING";
const ANSWER: &str = "MSG one 1 back 5\r\nhe\r\no\r\nHMSG one 1 12 15\r\nNATS/1.0\r\n\r\nyes\r\nPONG";
const WITH_HEADERS: &str = r#"{"verbose":false,"pedantic":false,"headers":true}"#;

fn a_talk_may_be_cut_at_every_byte() -> Case {
    let mut steps = vec![A.joins_with(WITH_HEADERS)];
    for count in 1..=TALK.len() + 1 {
        steps.push(A.sends_cut(TALK, count));
        steps.push(A.hears(ANSWER));
    }
    steps.push(A.is_quiet());
    Case::new(steps)
}

fn a_talk_may_come_byte_by_byte() -> Case {
    Case::new([
        A.joins_with(WITH_HEADERS),
        A.sends_slowly(TALK),
        A.hears(ANSWER),
        A.is_quiet(),
    ])
}

fn many_operations_may_come_at_once() -> Case {
    Case::new([
        A.opens(),
        A.sends(&format!("CONNECT {WITH_HEADERS}\r\n{}", [TALK; 100].join("\r\n"))),
        A.hears(&[ANSWER; 100].join("\r\n")),
        A.is_quiet(),
    ])
}

fn a_payload_may_hold_any_bytes() -> Case {
    let all: Vec<u8> = (0..=255).collect();
    let sent = [b"PUB one 256\r\n", all.as_slice(), b"\r\n"].concat();
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends_bytes(sent),
        A.hears_bytes([b"MSG one 1 256\r\n", all.as_slice(), b"\r\n"].concat()),
        A.is_quiet(),
    ])
}

fn an_empty_payload_is_a_message() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends("PUB one 0\r\n"),
        A.hears("MSG one 1 0\r\n"),
        A.is_quiet(),
    ])
}

fn a_large_payload_in_pieces_arrives_whole() -> Case {
    let payload = "0123456789abcdef".repeat(50_000);
    let message = format!("PUB one 800000\r\n{payload}");
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends_cut(&message, 7),
        A.hears(&format!("MSG one 1 800000\r\n{payload}")),
        A.sends_cut(&message, 5_000),
        A.hears(&format!("MSG one 1 800000\r\n{payload}")),
        A.sends_cut(&message, 799_999),
        A.hears(&format!("MSG one 1 800000\r\n{payload}")),
        A.is_quiet(),
    ])
}

fn a_payload_longer_than_said_is_a_parse_error() -> Case {
    Case::new([
        A.joins(),
        A.sends("PUB one 2\r\nlonger"),
        A.is_told("Unknown Protocol Operation"),
        A.is_cut(),
    ])
}

fn a_payload_shorter_than_said_swallows_what_follows() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends("PUB one 8\r\nhi\r\nPING"),
        A.hears("MSG one 1 8\r\nhi\r\nPING"),
        A.is_quiet(),
    ])
}

/// A message to nobody, and then neither CR LF nor CR alone.
fn a_payload_wants_carriage_return_and_line_feed() -> Case {
    Case::new([
        A.joins(),
        A.sends_bytes("PUB one 2\r\nhi\nPING\r\n"),
        A.is_told("Unknown Protocol Operation"),
        A.is_cut(),
        B.joins(),
        B.sends_bytes("PUB one 2\r\nhi\rPING\r\n"),
        B.is_told("Unknown Protocol Operation"),
        B.is_cut(),
    ])
}

/// Each line is a parse error, whoever says it.
fn each_is_a_parse_error(lines: &[&str]) -> Case {
    let steps = lines.iter().flat_map(|line| {
        [
            A.joins(),
            A.sends(line),
            A.is_told("Unknown Protocol Operation"),
            A.is_cut(),
        ]
    });
    Case::new(steps.collect::<Vec<Step>>())
}

/// Each line is an end without a word.
fn each_is_cut(lines: &[&str]) -> Case {
    let steps = lines
        .iter()
        .flat_map(|line| [A.joins_with(WITH_HEADERS), A.sends(line), A.is_cut()]);
    Case::new(steps.collect::<Vec<Step>>())
}

fn an_unknown_verb_is_a_parse_error() -> Case {
    each_is_a_parse_error(&[
        "HELLO",
        "GET / HTTP/1.1",
        "PUZZLE",
        "SUBSCRIBE one 1",
        "UNSUBSCRIBE 1",
    ])
}

fn a_line_of_nothing_is_a_parse_error() -> Case {
    each_is_a_parse_error(&["", "\n", "\0"])
}

fn a_blank_before_a_verb_is_a_parse_error() -> Case {
    each_is_a_parse_error(&[" PING", "\tSUB one 1"])
}

fn a_verb_without_blank_is_a_parse_error() -> Case {
    each_is_a_parse_error(&["SUB", "PUB", "HPUB", "UNSUB", "SUB.one 1"])
}

fn verbs_of_servers_are_not_for_clients() -> Case {
    each_is_a_parse_error(&["MSG one 1 2\r\nhi"])
}

fn verbs_between_servers_are_not_for_clients() -> Case {
    each_is_a_parse_error(&["LS+ one", "LS- one", "LMSG one 2\r\nhi", "RS+ $G one", "A+ $G"])
}

fn ok_of_a_client_is_passed_over() -> Case {
    Case::new([A.joins(), A.sends("+OK"), A.is_quiet()])
}

fn an_error_of_a_client_ends_it() -> Case {
    Case::new([A.joins(), A.sends("-ERR 'I am cross'"), A.is_cut()])
}

fn info_of_a_client_is_passed_over() -> Case {
    Case::new([A.joins(), A.sends(r#"INFO {"server_id":"me"}"#), A.is_quiet()])
}

fn ping_and_pong_with_more_behind_them_count() -> Case {
    Case::new([
        A.joins(),
        A.sends("PING me"),
        A.hears("PONG"),
        A.sends("PONGED"),
        A.is_quiet(),
    ])
}

fn pub_without_size_is_cut() -> Case {
    each_is_cut(&["PUB one", "HPUB one", "HPUB one 12"])
}

fn pub_with_too_many_arguments_is_cut() -> Case {
    each_is_cut(&[
        "PUB one two three 2\r\nhi",
        "HPUB one two three 12 12\r\nNATS/1.0\r\n\r\n",
    ])
}

fn pub_of_a_size_that_is_no_number_is_cut() -> Case {
    each_is_cut(&[
        "PUB one two",
        "PUB one 2x\r\nhi",
        "PUB one 0x2\r\nhi",
        "PUB one 2.0\r\nhi",
    ])
}

fn pub_of_a_negative_size_is_cut() -> Case {
    each_is_cut(&["PUB one -1", "PUB one +2\r\nhi"])
}

fn pub_of_a_size_beyond_all_numbers_is_cut() -> Case {
    each_is_cut(&[
        "PUB one 99999999999999999999",
        "PUB one 18446744073709551618\r\nhi",
    ])
}

/// Nine is the limit, whatever they say.
fn pub_of_a_size_of_ten_digits_is_cut() -> Case {
    each_is_cut(&[
        "PUB one 1000000000",
        "PUB one 4294967298\r\nhi",
        "PUB one 0000000002\r\nhi",
    ])
}

fn pub_of_a_size_with_zeros_before_it_counts() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends("PUB one 0002\r\nhi"),
        // It is the same number; ours writes it anew.
        unlike([A.hears("MSG one 1 0002\r\nhi")], [A.hears("MSG one 1 2\r\nhi")]),
        A.is_quiet(),
    ])
}

fn sub_without_sid_is_cut() -> Case {
    each_is_cut(&["SUB one", "SUB  "])
}

fn sub_with_too_many_arguments_is_cut() -> Case {
    each_is_cut(&["SUB one two 3 4"])
}

fn unsub_without_sid_is_cut() -> Case {
    each_is_cut(&["UNSUB  "])
}

fn unsub_with_too_many_arguments_is_cut() -> Case {
    each_is_cut(&["UNSUB 1 2 3"])
}

fn a_sid_may_be_any_word() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one a.b/c*>"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("MSG one a.b/c*> 2\r\nhi"),
        A.sends("UNSUB a.b/c*>"),
        A.sends("PUB one 2\r\nhi"),
        A.is_quiet(),
    ])
}

/// What follows the verb and its blank, without the end of the line, is what counts.
fn a_line_as_long_as_is_allowed_counts() -> Case {
    let subject = "s".repeat(254);
    Case::on(
        Setup::open().max_control_line(256),
        [
            A.joins(),
            A.sends(&format!("SUB {subject} 1")),
            A.sends(&format!("PUB {subject} 0\r\n")),
            A.hears(&format!("MSG {subject} 1 0\r\n")),
            A.is_quiet(),
        ],
    )
}

fn a_line_longer_than_allowed_is_cut() -> Case {
    let subject = "s".repeat(255);
    Case::on(
        Setup::open().max_control_line(256),
        [
            A.joins(),
            A.sends(&format!("SUB {subject} 1")),
            A.is_told("maximum control line exceeded"),
            A.is_cut(),
            B.joins(),
            B.sends(&format!("PUB {subject} 0\r\n")),
            B.is_told("maximum control line exceeded"),
            B.is_cut(),
        ],
    )
}

fn a_line_may_have_4096_bytes_by_default() -> Case {
    let subject = "s".repeat(4094);
    Case::new([
        A.joins(),
        A.sends(&format!("SUB {subject} 1")),
        A.is_quiet(),
        A.sends(&format!("SUB {subject}s 2")),
        A.is_told("maximum control line exceeded"),
        A.is_cut(),
    ])
}

fn a_message_may_have_a_mebibyte_by_default() -> Case {
    let payload = "x".repeat(1 << 20);
    Case::new([
        A.joins(),
        A.was_told("the limit", |info| info["max_payload"] == 1 << 20),
        A.sends("SUB one 1"),
        A.sends(&format!("PUB one 1048576\r\n{payload}")),
        A.hears(&format!("MSG one 1 1048576\r\n{payload}")),
        A.sends("PUB one 1048577"),
        A.is_told("Maximum Payload Violation"),
        A.is_cut(),
    ])
}

fn a_line_without_end_is_cut() -> Case {
    Case::on(
        Setup::open().max_control_line(256),
        [
            A.joins(),
            A.sends_bytes(format!("PUB {}", "s".repeat(300))),
            A.is_told("maximum control line exceeded"),
            A.is_cut(),
        ],
    )
}

fn a_long_connect_is_cut() -> Case {
    Case::on(
        Setup::open().max_control_line(256),
        [
            A.opens(),
            A.sends(&format!(r#"CONNECT {{"name":"{}"}}"#, "n".repeat(300))),
            A.is_told("maximum control line exceeded"),
            A.is_cut(),
        ],
    )
}

fn a_payload_as_large_as_is_allowed_arrives() -> Case {
    let payload = "x".repeat(100);
    Case::on(
        Setup::open().max_payload(100),
        [
            A.joins(),
            A.sends("SUB one 1"),
            A.sends(&format!("PUB one 100\r\n{payload}")),
            A.hears(&format!("MSG one 1 100\r\n{payload}")),
            A.is_quiet(),
        ],
    )
}

fn a_payload_larger_than_allowed_is_cut() -> Case {
    Case::on(
        Setup::open().max_payload(100),
        [
            A.joins(),
            // Before the payload was sent.
            A.sends("PUB one 101"),
            A.is_told("Maximum Payload Violation"),
            A.is_cut(),
            B.joins(),
            B.sends("PUB one 999999999"),
            B.is_told("Maximum Payload Violation"),
            B.is_cut(),
        ],
    )
}

fn headers_count_into_the_limit_of_payloads() -> Case {
    let body = "x".repeat(88);
    Case::on(
        Setup::open().max_payload(100),
        [
            A.joins_with(WITH_HEADERS),
            A.sends("SUB one 1"),
            A.sends(&format!("HPUB one 12 100\r\nNATS/1.0\r\n\r\n{body}")),
            A.hears(&format!("HMSG one 1 12 100\r\nNATS/1.0\r\n\r\n{body}")),
            A.sends("HPUB one 12 101"),
            A.is_told("Maximum Payload Violation"),
            A.is_cut(),
        ],
    )
}

fn what_came_before_an_error_was_done() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        B.joins(),
        B.sends("PUB one 2\r\nhi\r\nHELLO\r\nPUB one 2\r\nho"),
        B.is_told("Unknown Protocol Operation"),
        B.is_cut(),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn who_sends_no_more_is_cut() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.is_quiet(),
        A.ends(),
        A.is_cut(),
    ])
}
