//! The first words: INFO, CONNECT and what it turns on.
//!
//! Source: `server/server.go` type `Info`, `server/client.go` `processConnect()` and `defaultOpts`, `processPing()`.

use crate::case::{A, B, Case, differs, then};
use crate::servers::Setup;
use serde_json::{Value, json};

on_every_broker![
    info_comes_first_and_says_who_and_what,
    info_of_an_open_broker_asks_for_nothing,
    info_says_the_limit_of_messages,
    each_connection_has_an_id_of_its_own,
    connect_without_flags_is_verbose_and_pedantic_and_echoes,
    verbose_says_ok_to_everything_but_ping,
    verbose_false_says_no_ok,
    connect_with_an_empty_object_is_enough,
    nothing_but_json_after_connect_ends_it,
    connect_with_a_wrong_type_ends_it,
    unknown_keys_of_connect_are_passed_over,
    null_in_connect_is_as_if_it_were_not_there,
    verbs_may_be_written_in_any_case,
    connect_wants_no_blank,
    tabs_and_many_blanks_separate_as_one_blank,
    blanks_at_the_end_of_a_line_do_not_count,
    a_line_may_end_without_carriage_return,
    a_client_may_speak_before_connect,
    a_second_connect_changes_the_flags,
    a_second_connect_drops_subscriptions_in_newer_servers,
    a_protocol_that_does_not_exist_is_refused,
    no_responders_without_headers_is_refused,
    connect_to_an_account_is_refused,
    a_modern_client_is_told_its_account_after_its_first_ping,
    as_many_connections_as_were_set_and_no_more,
];

fn is_server_id(id: &Value) -> bool {
    let id = id.as_str().unwrap_or_default();
    id.len() == 56 && id.starts_with('N') && id.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

fn info_comes_first_and_says_who_and_what() -> Case {
    Case::new([
        A.opens(),
        A.was_told("a server id", |info| is_server_id(&info["server_id"])),
        A.was_told("its name", |info| info["server_name"].is_string()),
        A.was_told("a version of three numbers", |info| {
            let version = info["version"].as_str().unwrap_or_default();
            let numbers: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
            numbers.len() == 3 && numbers.iter().all(Result::is_ok)
        }),
        A.was_told("what built it", |info| info["go"].is_string()),
        A.was_told("protocol 1", |info| info["proto"] == 1),
        A.was_told("headers", |info| info["headers"] == true),
        A.was_told("where it listens", |info| {
            info["host"] == "127.0.0.1" && info["port"].is_u64()
        }),
        A.was_told("the address of the client", |info| {
            info["client_ip"] == "127.0.0.1"
        }),
        A.was_told("a number of the client", |info| info["client_id"].is_u64()),
    ])
}

fn info_of_an_open_broker_asks_for_nothing() -> Case {
    let silent_about = [
        "auth_required",
        "tls_required",
        "tls_available",
        "tls_verify",
        "nonce",
        "jetstream",
        "ldm",
        "cluster",
        "domain",
        "connect_info",
    ];
    Case::new(
        [
            vec![A.opens()],
            silent_about
                .map(|field| {
                    A.was_told(&format!("nothing of {field}"), move |info| {
                        info.get(field).is_none()
                    })
                })
                .into(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>(),
    )
}

fn info_says_the_limit_of_messages() -> Case {
    Case::on(
        Setup::open().max_payload(2000),
        [
            A.opens(),
            A.was_told("the limit", |info| info["max_payload"] == 2000),
        ],
    )
}

fn each_connection_has_an_id_of_its_own() -> Case {
    Case::new([
        A.opens(),
        B.opens(),
        then("A and B have different ids", |stage| {
            assert_ne!(stage.told(A)["client_id"], stage.told(B)["client_id"]);
            assert_eq!(stage.told(A)["server_id"], stage.told(B)["server_id"]);
        }),
    ])
}

fn connect_without_flags_is_verbose_and_pedantic_and_echoes() -> Case {
    Case::new([
        A.opens(),
        A.sends("CONNECT {}"),
        A.hears("+OK"),
        A.sends("SUB one 1"),
        A.hears("+OK"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("+OK\r\nMSG one 1 2\r\nhi"),
        A.sends("PUB one.* 0\r\n"),
        A.is_told("Invalid Publish Subject"),
        A.hears("+OK"),
        A.is_quiet(),
    ])
}

fn verbose_says_ok_to_everything_but_ping() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":true,"pedantic":false,"headers":true}"#),
        A.hears("+OK"),
        A.sends("SUB other 1"),
        A.hears("+OK"),
        A.sends("PUB one 0\r\n"),
        A.hears("+OK"),
        A.sends("HPUB one 12 12\r\nNATS/1.0\r\n\r\n"),
        A.hears("+OK"),
        A.sends("UNSUB 1 5"),
        A.hears("+OK"),
        A.sends("UNSUB 1"),
        A.hears("+OK"),
        A.sends("UNSUB 1"),
        A.hears("+OK"),
        A.sends("PONG"),
        A.is_quiet(),
    ])
}

fn verbose_false_says_no_ok() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":false}"#),
        A.sends("SUB one 1"),
        A.sends("UNSUB 1"),
        A.sends("PUB one 0\r\n"),
        A.is_quiet(),
    ])
}

fn connect_with_an_empty_object_is_enough() -> Case {
    Case::new([A.opens(), A.sends("CONNECT {}"), A.hears("+OK"), A.is_quiet()])
}

fn nothing_but_json_after_connect_ends_it() -> Case {
    Case::new([A.opens(), A.sends("CONNECT verbose"), A.is_cut()])
}

fn connect_with_a_wrong_type_ends_it() -> Case {
    Case::new([A.opens(), A.sends(r#"CONNECT {"verbose":"no"}"#), A.is_cut()])
}

fn unknown_keys_of_connect_are_passed_over() -> Case {
    Case::new([A.joins_with(
        r#"{"verbose":false,"name":"x","lang":"y","version":"1","protocol":0,"more":{"of":[1,null]}}"#,
    )])
}

fn null_in_connect_is_as_if_it_were_not_there() -> Case {
    Case::new([
        A.joins_with(r#"{"verbose":false,"echo":null,"user":null,"auth_token":null,"name":null}"#),
        A.sends("SUB one 1\r\nPUB one 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn verbs_may_be_written_in_any_case() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"connect {"verbose":false,"headers":true}"#),
        A.sends("sub one 1"),
        A.sends("Pub one 1\r\na"),
        A.hears("MSG one 1 1\r\na"),
        A.sends("hPuB one 12 13\r\nNATS/1.0\r\n\r\nb"),
        A.hears("HMSG one 1 12 13\r\nNATS/1.0\r\n\r\nb"),
        A.sends("uNsub 1"),
        A.sends("pub one 0\r\n"),
        A.sends("ping"),
        A.hears("PONG"),
        A.sends("pong"),
        A.is_quiet(),
    ])
}

fn connect_wants_no_blank() -> Case {
    Case::new([A.opens(), A.sends(r#"CONNECT{"verbose":false}"#), A.is_quiet()])
}

fn tabs_and_many_blanks_separate_as_one_blank() -> Case {
    Case::new([
        A.opens(),
        A.sends("CONNECT \t {\"verbose\":false}"),
        A.sends("SUB\tone \t queue  1"),
        A.sends("PUB  one\treply\t2\r\nhi"),
        A.hears("MSG one 1 reply 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn blanks_at_the_end_of_a_line_do_not_count() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1  "),
        A.sends("PUB one 2\t\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.sends("UNSUB 1 "),
        A.sends("PUB one 2\r\nhi"),
        A.sends("PING "),
        A.hears("PONG"),
        A.is_quiet(),
    ])
}

fn a_line_may_end_without_carriage_return() -> Case {
    Case::new([
        A.joins(),
        A.sends_bytes("SUB one 1\nPUB one 2\nhi\r\nPING\n"),
        A.hears("MSG one 1 2\r\nhi"),
        A.hears("PONG"),
        A.is_quiet(),
    ])
}

fn a_client_may_speak_before_connect() -> Case {
    Case::new([
        A.opens(),
        A.is_quiet(),
        A.sends("SUB one 1"),
        A.hears("+OK"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("+OK\r\nMSG one 1 2\r\nhi"),
    ])
}

fn a_second_connect_changes_the_flags() -> Case {
    Case::new([
        A.joins_with(r#"{"verbose":false,"pedantic":false,"echo":false}"#),
        A.sends(r#"CONNECT {"verbose":true,"echo":true}"#),
        A.hears("+OK"),
        A.sends("SUB one 1"),
        A.hears("+OK"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("+OK\r\nMSG one 1 2\r\nhi"),
        // What it does not say stays as it was.
        A.sends("PUB bad..subject 0\r\n"),
        A.hears("+OK"),
        A.is_quiet(),
    ])
}

fn a_second_connect_drops_subscriptions_in_newer_servers() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one 1"),
        A.sends(r#"CONNECT {"verbose":false}"#),
        A.sends("PUB one 2\r\nhi"),
        differs([A.hears("MSG one 1 2\r\nhi")], []),
        A.is_quiet(),
        A.sends("SUB two 2"),
        A.sends("PUB two 2\r\nho"),
        A.hears("MSG two 2 2\r\nho"),
        A.is_quiet(),
    ])
}

fn a_protocol_that_does_not_exist_is_refused() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":false,"protocol":2}"#),
        A.is_told("invalid client protocol"),
        A.is_cut(),
        B.opens(),
        B.sends(r#"CONNECT {"verbose":false,"protocol":-1}"#),
        B.is_told("invalid client protocol"),
        B.is_cut(),
    ])
}

fn no_responders_without_headers_is_refused() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":false,"no_responders":true}"#),
        A.is_told("no responders requires headers support"),
        A.is_cut(),
    ])
}

fn connect_to_an_account_is_refused() -> Case {
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":false,"account":"mine"}"#),
        A.is_told("Authorization Violation"),
        A.is_cut(),
    ])
}

/// Ours has one account only, so there is nothing to tell.
fn a_modern_client_is_told_its_account_after_its_first_ping() -> Case {
    let is_told = then("A is told INFO again", |stage| {
        let (first, again) = (stage.told(A).clone(), stage.wire(A).info());
        assert_eq!(again["connect_info"], json!(true), "{again}");
        assert_eq!(again["remote_account"], json!("$G"), "{again}");
        assert_eq!(again["client_id"], first["client_id"]);
        assert_eq!(again["server_id"], first["server_id"]);
        assert_eq!(again["max_payload"], first["max_payload"]);
    });
    Case::new([
        A.opens(),
        A.sends(r#"CONNECT {"verbose":false,"protocol":1}"#),
        A.sends("PING"),
        A.hears("PONG"),
        differs([], [is_told]),
        A.is_quiet(),
    ])
}

fn as_many_connections_as_were_set_and_no_more() -> Case {
    Case::on(
        Setup::open().max_connections(1),
        [
            A.joins(),
            B.opens(),
            B.is_told("maximum connections exceeded"),
            B.is_cut(),
            A.is_quiet(),
            A.leaves(),
        ],
    )
}
