//! Who may come in: tokens, passwords, keys, and how long one may take.
//!
//! Source: `server/auth.go` `processClientOrLeafAuthentication()`, `server/nkey.go`, `server/client.go` `authViolation()`.

use crate::case::{A, B, C, Case, Step, Who, then};
use crate::nkey::Nkey;
use crate::servers::{Setup, User};

on_every_broker![
    info_says_that_one_must_sign_in,
    the_token_opens,
    a_wrong_token_does_not,
    without_the_token_nobody_comes_in,
    a_password_is_no_token,
    name_and_password_open,
    a_wrong_password_does_not,
    an_unknown_user_does_not_come_in,
    a_name_without_password_does_not_come_in,
    a_token_is_no_password,
    a_password_may_be_kept_as_a_hash,
    nothing_goes_before_connect,
    connect_may_be_written_in_any_case,
    what_follows_a_refused_connect_is_not_done,
    who_takes_too_long_is_cut,
    who_signed_in_may_take_its_time,
    one_may_become_another_user,
    one_may_not_become_nobody,
    passwords_need_no_nonce,
    each_connection_has_a_nonce_of_its_own,
    a_signed_nonce_opens,
    a_signature_in_padded_base_64_opens,
    the_signature_of_another_nonce_does_not_open,
    the_signature_of_another_key_does_not_open,
    an_unknown_key_does_not_come_in,
    a_key_without_signature_does_not_come_in,
    a_signature_that_is_none_does_not_open,
    keys_and_passwords_live_side_by_side,
];

/// Each CONNECT is refused and cut off.
fn refused(setup: Setup, connects: &[&str]) -> Case {
    let steps = connects.iter().flat_map(|connect| {
        [A.opens(), A.sends(&format!("CONNECT {connect}"))]
            .into_iter()
            .chain(is_refused(A))
    });
    Case::on(setup, steps.collect::<Vec<Step>>())
}

fn is_refused(who: Who) -> [Step; 2] {
    [who.is_told("Authorization Violation"), who.is_cut()]
}

fn info_says_that_one_must_sign_in() -> Case {
    Case::on(
        Setup::token("secret"),
        [
            A.opens(),
            A.was_told("that one must", |info| info["auth_required"] == true),
        ],
    )
}

fn the_token_opens() -> Case {
    Case::on(
        Setup::token("secret"),
        [A.joins_with(r#"{"verbose":false,"auth_token":"secret"}"#)],
    )
}

fn a_wrong_token_does_not() -> Case {
    refused(
        Setup::token("secret"),
        &[
            r#"{"auth_token":"secreT"}"#,
            r#"{"auth_token":"secret "}"#,
            r#"{"auth_token":""}"#,
            r#"{"auth_token":"secre"}"#,
        ],
    )
}

fn without_the_token_nobody_comes_in() -> Case {
    refused(Setup::token("secret"), &["{}", r#"{"verbose":false}"#])
}

fn a_password_is_no_token() -> Case {
    refused(
        Setup::token("secret"),
        &[r#"{"user":"secret"}"#, r#"{"user":"secret","pass":"secret"}"#],
    )
}

fn alice() -> Setup {
    Setup::users([User::new("alice", "wonder"), User::new("bob", "builder")])
}

fn name_and_password_open() -> Case {
    Case::on(
        alice(),
        [A.joins_as("alice", "wonder"), B.joins_as("bob", "builder")],
    )
}

fn a_wrong_password_does_not() -> Case {
    refused(
        alice(),
        &[
            r#"{"user":"alice","pass":"builder"}"#,
            r#"{"user":"alice","pass":"Wonder"}"#,
            r#"{"user":"alice","pass":""}"#,
        ],
    )
}

fn an_unknown_user_does_not_come_in() -> Case {
    refused(
        alice(),
        &[
            r#"{"user":"carol","pass":"wonder"}"#,
            r#"{"user":"Alice","pass":"wonder"}"#,
            r#"{"user":"","pass":""}"#,
        ],
    )
}

fn a_name_without_password_does_not_come_in() -> Case {
    refused(alice(), &[r#"{"user":"alice"}"#, r#"{"pass":"wonder"}"#, "{}"])
}

fn a_token_is_no_password() -> Case {
    refused(
        alice(),
        &[
            r#"{"auth_token":"wonder"}"#,
            r#"{"user":"alice","auth_token":"wonder"}"#,
        ],
    )
}

/// The hash that bcrypt makes of `s3cret`, at its least cost.
fn a_password_may_be_kept_as_a_hash() -> Case {
    let hash = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";
    Case::on(
        Setup::users([User::new("alice", hash)]),
        [
            vec![A.joins_as("alice", "s3cret"), B.opens()],
            vec![B.sends(&format!(r#"CONNECT {{"user":"alice","pass":"{hash}"}}"#))],
            is_refused(B).into(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>(),
    )
}

fn nothing_goes_before_connect() -> Case {
    let steps = [
        "PING",
        "SUB one 1",
        "PUB one 2\r\nhi",
        "HELLO",
        "+OK",
        "INFO {}",
        "",
    ]
    .into_iter()
    .flat_map(|line| [A.opens(), A.sends(line)].into_iter().chain(is_refused(A)));
    Case::on(Setup::token("secret"), steps.collect::<Vec<_>>())
}

fn connect_may_be_written_in_any_case() -> Case {
    Case::on(
        Setup::token("secret"),
        [
            A.opens(),
            A.sends(r#"cONNECT {"verbose":false,"auth_token":"secret"}"#),
            A.is_quiet(),
        ],
    )
}

fn what_follows_a_refused_connect_is_not_done() -> Case {
    Case::on(
        Setup::token("secret"),
        [
            vec![
                A.joins_with(r#"{"verbose":false,"auth_token":"secret"}"#),
                A.sends("SUB one 1"),
                A.is_quiet(),
                B.opens(),
                B.sends("CONNECT {\"auth_token\":\"wrong\"}\r\nPUB one 2\r\nhi\r\nPING"),
            ],
            is_refused(B).into(),
            vec![A.is_quiet()],
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>(),
    )
}

fn who_takes_too_long_is_cut() -> Case {
    Case::on(
        Setup::token("secret").auth_timeout(0.2),
        [A.opens(), A.is_told("Authentication Timeout"), A.is_cut()],
    )
}

fn who_signed_in_may_take_its_time() -> Case {
    Case::on(
        Setup::token("secret").auth_timeout(0.5),
        [
            A.joins_with(r#"{"verbose":false,"auth_token":"secret"}"#),
            B.opens(),
            B.is_told("Authentication Timeout"),
            B.is_cut(),
            A.is_quiet(),
        ],
    )
}

fn one_may_become_another_user() -> Case {
    Case::on(
        Setup::users([
            User::new("alice", "wonder").publishes(&["alice"]),
            User::new("bob", "builder").publishes(&["bob"]),
        ]),
        [
            A.joins_as("alice", "wonder"),
            A.sends("PUB alice 0\r\n"),
            A.is_quiet(),
            A.sends(r#"CONNECT {"user":"bob","pass":"builder"}"#),
            A.sends("PUB bob 0\r\n"),
            A.is_quiet(),
            A.sends("PUB alice 0\r\n"),
            A.is_told(r#"Permissions Violation for Publish to "alice""#),
            A.is_quiet(),
        ],
    )
}

fn one_may_not_become_nobody() -> Case {
    Case::on(
        alice(),
        [
            A.joins_as("alice", "wonder"),
            A.sends(r#"CONNECT {"user":"bob","pass":"wonder"}"#),
            A.is_told("Authorization Violation"),
            A.is_cut(),
        ],
    )
}

fn passwords_need_no_nonce() -> Case {
    Case::on(
        alice(),
        [
            A.opens(),
            A.was_told("no nonce", |info| info.get("nonce").is_none()),
        ],
    )
}

fn nkey() -> Nkey {
    Nkey::from_seed([7; 32])
}

fn with_nkey() -> Setup {
    Setup::users([User::with_nkey(nkey().public())])
}

fn each_connection_has_a_nonce_of_its_own() -> Case {
    let is_nonce = |nonce: &str| {
        nonce.len() == 15
            && nonce
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    Case::on(
        with_nkey(),
        [
            A.opens(),
            A.was_told("a nonce", move |info| {
                info["nonce"].as_str().is_some_and(is_nonce)
            }),
            B.opens(),
            then("A and B have different nonces", |stage| {
                assert_ne!(stage.told(A)["nonce"], stage.told(B)["nonce"]);
            }),
        ],
    )
}

fn a_signed_nonce_opens() -> Case {
    Case::on(
        with_nkey(),
        [A.opens(), A.signs(nkey(), Nkey::sign), A.is_quiet()],
    )
}

fn a_signature_in_padded_base_64_opens() -> Case {
    Case::on(
        with_nkey(),
        [A.opens(), A.signs(nkey(), Nkey::sign_padded), A.is_quiet()],
    )
}

/// One CONNECT is refused and cut off.
fn wrongly_signed(sign: Step) -> Case {
    let [told, cut] = is_refused(A);
    Case::on(with_nkey(), [A.opens(), sign, told, cut])
}

fn the_signature_of_another_nonce_does_not_open() -> Case {
    wrongly_signed(A.signs(nkey(), |nkey, _| nkey.sign("0123456789abcde")))
}

fn the_signature_of_another_key_does_not_open() -> Case {
    wrongly_signed(A.signs(nkey(), |_, nonce| Nkey::from_seed([8; 32]).sign(nonce)))
}

fn an_unknown_key_does_not_come_in() -> Case {
    wrongly_signed(A.signs(Nkey::from_seed([8; 32]), Nkey::sign))
}

fn a_key_without_signature_does_not_come_in() -> Case {
    wrongly_signed(A.signs(nkey(), |_, _| String::new()))
}

fn a_signature_that_is_none_does_not_open() -> Case {
    wrongly_signed(A.signs(nkey(), |_, _| "not base 64!".to_owned()))
}

fn keys_and_passwords_live_side_by_side() -> Case {
    let setup = Setup::users([
        User::new("alice", "wonder"),
        User::with_nkey(nkey().public()).publishes(&["signed"]),
    ]);
    Case::on(
        setup,
        [
            A.joins_as("alice", "wonder"),
            A.sends("SUB > 1"),
            A.is_quiet(),
            B.opens(),
            B.signs(nkey(), Nkey::sign),
            B.is_quiet(),
            B.sends("PUB signed 2\r\nhi"),
            B.sends("PUB other 2\r\nhi"),
            B.is_told(r#"Permissions Violation for Publish to "other""#),
            B.is_quiet(),
            A.hears("MSG signed 1 2\r\nhi"),
            A.is_quiet(),
            C.opens(),
            C.sends("CONNECT {}"),
            C.is_told("Authorization Violation"),
            C.is_cut(),
        ],
    )
}
