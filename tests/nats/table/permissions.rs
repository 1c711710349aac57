//! What a user may do: subjects to publish to and to subscribe to, and answers to what reached it.
//!
//! Source: `server/client.go` `canSubscribe()`, `pubAllowedFullCheck()`, `loadMsgDenyFilter()`, `responseAllowed()`,
//! `isReservedReply()`; `server/auth.go` `validateResponsePermissions()`.

use crate::case::{A, B, Case, Step, Who, differs, then, unlike};
use crate::servers::{Setup, User};
use std::thread::sleep;
use std::time::Duration;

on_every_broker![
    publishing_to_what_is_not_allowed_is_said_and_not_done,
    publishing_to_what_is_denied_is_said_and_not_done,
    a_denial_of_publishing_overrides,
    publishing_with_headers_is_no_way_around,
    a_refused_message_says_no_ok,
    subscribing_to_what_is_not_allowed_is_said_and_not_done,
    subscribing_to_what_is_denied_is_said_and_not_done,
    a_denial_of_subscribing_overrides,
    a_refused_subscription_says_no_ok,
    a_refused_subscription_leaves_its_sid_free,
    a_wildcard_wider_than_allowed_is_refused,
    a_star_does_not_allow_a_greater_sign,
    a_wildcard_over_a_denial_hears_the_rest,
    a_queue_over_a_denial_hears_the_rest,
    a_wildcard_in_a_denial_covers_wildcards,
    a_queue_group_is_named_when_it_is_refused,
    a_queue_group_may_be_allowed_by_name,
    a_queue_group_may_be_denied_by_name,
    replies_are_not_checked,
    replies_of_services_are_refused,
    who_may_respond_may_answer_what_reached_it,
    who_may_respond_may_publish_what_is_allowed_besides,
    a_response_is_allowed_as_often_as_was_said,
    a_response_is_allowed_as_long_as_was_said,
    nobody_is_told_503_of_what_was_refused,
];

const CONNECT: &str = r#"{"verbose":false,"pedantic":false,"headers":true,"user":"alice","pass":"a"}"#;

/// A is alice, with these permissions; B may do everything and hears everything.
fn case(alice: User, steps: impl Into<Vec<Step>>) -> Case {
    let joined = [
        A.joins_with(CONNECT),
        B.joins_as("bob", "b"),
        B.sends("SUB > b"),
        B.is_quiet(),
    ];
    Case::on(
        Setup::users([alice, User::new("bob", "b")]),
        joined.into_iter().chain(steps.into()).collect::<Vec<_>>(),
    )
}

fn alice() -> User {
    User::new("alice", "a")
}

/// A may publish to `subject`, and B hears it.
fn may_publish(subject: &str) -> [Step; 4] {
    [
        A.sends(&format!("PUB {subject} 2\r\nhi")),
        A.is_quiet(),
        B.hears(&format!("MSG {subject} b 2\r\nhi")),
        B.is_quiet(),
    ]
}

/// A may not publish to `subject`, and nobody hears it.
fn may_not_publish(subject: &str) -> [Step; 4] {
    [
        A.sends(&format!("PUB {subject} 2\r\nhi")),
        is_refused_publishing(A, subject),
        A.is_quiet(),
        B.is_quiet(),
    ]
}

fn is_refused_publishing(who: Who, subject: &str) -> Step {
    who.is_told(&format!(r#"Permissions Violation for Publish to "{subject}""#))
}

fn is_refused_subscribing(subject: &str) -> Step {
    A.is_told(&format!(
        r#"Permissions Violation for Subscription to "{subject}""#
    ))
}

fn may_not_subscribe(subject: &str) -> [Step; 3] {
    [
        A.sends(&format!("SUB {subject} 9")),
        is_refused_subscribing(subject),
        A.is_quiet(),
    ]
}

fn flat<const N: usize>(steps: impl IntoIterator<Item = [Step; N]>) -> Vec<Step> {
    steps.into_iter().flatten().collect()
}

fn publishing_to_what_is_not_allowed_is_said_and_not_done() -> Case {
    case(
        alice().publishes(&["one", "two.*", "three.>"]),
        flat([
            may_publish("one"),
            may_publish("two.x"),
            may_publish("three.x.y"),
            may_not_publish("four"),
            may_not_publish("one.x"),
            may_not_publish("two"),
            may_not_publish("two.x.y"),
            may_not_publish("three"),
        ]),
    )
}

fn publishing_to_what_is_denied_is_said_and_not_done() -> Case {
    case(
        alice().never_publishes(&["one", "two.*", "three.>"]),
        flat([
            may_not_publish("one"),
            may_not_publish("two.x"),
            may_not_publish("three.x.y"),
            may_publish("four"),
            may_publish("one.x"),
            may_publish("two"),
        ]),
    )
}

fn a_denial_of_publishing_overrides() -> Case {
    case(
        alice().publishes(&["one.>"]).never_publishes(&["one.secret"]),
        flat([
            may_publish("one.x"),
            may_not_publish("one.secret"),
            may_publish("one.secret.x"),
            may_not_publish("two"),
        ]),
    )
}

fn publishing_with_headers_is_no_way_around() -> Case {
    case(
        alice().publishes(&["one"]),
        [
            A.sends("HPUB two 12 14\r\nNATS/1.0\r\n\r\nhi"),
            is_refused_publishing(A, "two"),
            A.is_quiet(),
            B.is_quiet(),
        ],
    )
}

fn a_refused_message_says_no_ok() -> Case {
    Case::on(
        Setup::users([alice().publishes(&["one"])]),
        [
            A.opens(),
            A.sends(r#"CONNECT {"user":"alice","pass":"a"}"#),
            A.hears("+OK"),
            A.sends("PUB two 2\r\nhi"),
            is_refused_publishing(A, "two"),
            A.is_quiet(),
        ],
    )
}

fn subscribing_to_what_is_not_allowed_is_said_and_not_done() -> Case {
    let steps = [
        vec![
            A.sends("SUB one 1\r\nSUB two.* 2\r\nSUB two.x 3\r\nSUB three.> 4\r\nSUB three.*.x 5"),
            A.is_quiet(),
        ],
        flat(["four", "one.x", "two", "two.x.y", "three"].map(may_not_subscribe)),
        vec![
            B.sends("PUB four 2\r\nhi"),
            B.hears("MSG four b 2\r\nhi"),
            A.is_quiet(),
        ],
        vec![
            B.sends("PUB one 2\r\nhi"),
            B.hears("MSG one b 2\r\nhi"),
            A.hears("MSG one 1 2\r\nhi"),
        ],
    ];
    case(
        alice().subscribes(&["one", "two.*", "three.>"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn subscribing_to_what_is_denied_is_said_and_not_done() -> Case {
    let steps = [
        flat(["one", "two.x", "three.x", "three.x.y"].map(may_not_subscribe)),
        vec![A.sends("SUB four 1\r\nSUB one.x 2\r\nSUB two 3"), A.is_quiet()],
        vec![
            B.sends("PUB one 2\r\nhi"),
            B.hears("MSG one b 2\r\nhi"),
            A.is_quiet(),
        ],
        vec![
            B.sends("PUB four 2\r\nhi"),
            B.hears("MSG four b 2\r\nhi"),
            A.hears("MSG four 1 2\r\nhi"),
        ],
    ];
    case(
        alice().never_subscribes(&["one", "two.*", "three.>"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn a_denial_of_subscribing_overrides() -> Case {
    let steps = [
        flat(["one.secret", "two"].map(may_not_subscribe)),
        vec![A.sends("SUB one.x 1"), A.is_quiet()],
    ];
    case(
        alice().subscribes(&["one.>"]).never_subscribes(&["one.secret"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn a_refused_subscription_says_no_ok() -> Case {
    Case::on(
        Setup::users([alice().subscribes(&["one"])]),
        [
            A.opens(),
            A.sends(r#"CONNECT {"user":"alice","pass":"a"}"#),
            A.hears("+OK"),
            A.sends("SUB two 1"),
            is_refused_subscribing("two"),
            A.is_quiet(),
        ],
    )
}

fn a_refused_subscription_leaves_its_sid_free() -> Case {
    case(
        alice().subscribes(&["one"]),
        [
            A.sends("SUB two 1"),
            is_refused_subscribing("two"),
            A.sends("SUB one 1"),
            A.sends("PUB one 2\r\nhi"),
            A.hears("MSG one 1 2\r\nhi"),
            A.is_quiet(),
        ],
    )
}

fn a_wildcard_wider_than_allowed_is_refused() -> Case {
    case(
        alice().subscribes(&["one.*", "two.x"]),
        flat([">", "*", "*.*", "two.*", "two.>", "*.x"].map(may_not_subscribe)),
    )
}

/// To real servers `>` is a token like others here, which `*` stands for; what they let in reaches further than allowed.
fn a_star_does_not_allow_a_greater_sign() -> Case {
    let leaks = [
        vec![A.sends("SUB one.> 1"), A.is_quiet()],
        reaches(&["one.x", "one.x.y"], &["one.x", "one.x.y"]),
    ];
    case(
        alice().subscribes(&["one.*"]),
        [unlike(
            leaks.into_iter().flatten().collect::<Vec<_>>(),
            may_not_subscribe("one.>"),
        )],
    )
}

/// B publishes to these subjects; of them A hears `heard` under sid 1.
fn reaches(published: &[&str], heard: &[&str]) -> Vec<Step> {
    let sent = published.iter().flat_map(|subject| {
        [
            B.sends(&format!("PUB {subject} 2\r\nhi")),
            B.hears(&format!("MSG {subject} b 2\r\nhi")),
        ]
    });
    let heard = heard
        .iter()
        .map(|subject| A.hears(&format!("MSG {subject} 1 2\r\nhi")));
    sent.chain([B.is_quiet()])
        .chain(heard)
        .chain([A.is_quiet()])
        .collect()
}

fn a_wildcard_over_a_denial_hears_the_rest() -> Case {
    let steps = [
        vec![A.sends("SUB one.> 1"), A.is_quiet()],
        reaches(
            &["one.x", "one.secret", "one.secret.x", "one.dark.x", "one.x.y"],
            &["one.x", "one.secret.x", "one.x.y"],
        ),
        vec![A.sends("UNSUB 1\r\nSUB > 1"), A.is_quiet()],
        reaches(&["two", "one.secret", "one.dark.x.y", "one.x"], &["two", "one.x"]),
        vec![A.sends("UNSUB 1\r\nSUB *.secret 1"), A.is_quiet()],
        reaches(&["two.secret", "one.secret"], &["two.secret"]),
    ];
    case(
        alice().never_subscribes(&["one.secret", "one.dark.>"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn a_queue_over_a_denial_hears_the_rest() -> Case {
    let steps = [
        vec![A.sends("SUB one.* workers 1"), A.is_quiet()],
        reaches(&["one.x", "one.secret", "one.y"], &["one.x", "one.y"]),
    ];
    case(
        alice().never_subscribes(&["one.secret"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn a_wildcard_in_a_denial_covers_wildcards() -> Case {
    case(
        alice().never_subscribes(&["one.*", "two.>"]),
        flat(["one.*", "two.*", "two.>", "two.x.*", "two.*.>"].map(may_not_subscribe)),
    )
}

fn a_queue_group_is_named_when_it_is_refused() -> Case {
    case(
        alice().subscribes(&["one"]),
        [
            A.sends("SUB two workers 1"),
            A.is_told(r#"Permissions Violation for Subscription to "two" using queue "workers""#),
            A.is_quiet(),
        ],
    )
}

fn a_queue_group_may_be_allowed_by_name() -> Case {
    let steps = [
        vec![
            A.sends("SUB one workers 1"),
            A.is_quiet(),
            A.sends("SUB one others 2"),
            A.is_told(r#"Permissions Violation for Subscription to "one" using queue "others""#),
            A.sends("SUB one 3"),
            is_refused_subscribing("one"),
            A.sends("SUB two dev-1 4\r\nSUB two 5"),
            A.is_quiet(),
            A.sends("SUB two prod 6"),
            A.is_told(r#"Permissions Violation for Subscription to "two" using queue "prod""#),
            A.is_quiet(),
        ],
        reaches(&["one"], &["one"]),
    ];
    case(
        alice().subscribes(&["one workers", "two", "two dev-1"]),
        steps.into_iter().flatten().collect::<Vec<_>>(),
    )
}

fn a_queue_group_may_be_denied_by_name() -> Case {
    case(
        alice().never_subscribes(&["one workers"]),
        [
            A.sends("SUB one workers 1"),
            A.is_told(r#"Permissions Violation for Subscription to "one" using queue "workers""#),
            A.sends("SUB one others 2\r\nSUB one 3"),
            A.is_quiet(),
        ],
    )
}

fn replies_are_not_checked() -> Case {
    case(
        alice().publishes(&["one"]),
        [
            A.sends("PUB one two 2\r\nhi"),
            A.is_quiet(),
            B.hears("MSG one b two 2\r\nhi"),
        ],
    )
}

/// They are of services between accounts.
fn replies_of_services_are_refused() -> Case {
    case(
        alice(),
        [
            A.sends("PUB one _R_.two 2\r\nhi"),
            A.is_told(r#"Permissions Violation for Publish with Reply of "_R_.two""#),
            A.is_quiet(),
            B.is_quiet(),
        ],
    )
}

/// B asks, and A hears it.
fn asked() -> Vec<Step> {
    vec![
        B.sends("PUB ask back 2\r\nhi"),
        B.hears("MSG ask b back 2\r\nhi"),
        A.hears("MSG ask 1 back 2\r\nhi"),
    ]
}

fn responding(alice: User, steps: impl IntoIterator<Item = Vec<Step>>) -> Case {
    let listening = vec![A.sends("SUB ask 1"), A.is_quiet()];
    let steps = [listening].into_iter().chain(steps);
    case(alice, steps.flatten().collect::<Vec<_>>())
}

fn who_may_respond_may_answer_what_reached_it() -> Case {
    responding(
        alice().responds(),
        [
            may_not_publish("back").into(),
            asked(),
            may_publish("back").into(),
            // Once each.
            may_not_publish("back").into(),
            may_not_publish("other").into(),
            asked(),
            may_publish("back").into(),
        ],
    )
}

fn who_may_respond_may_publish_what_is_allowed_besides() -> Case {
    responding(
        alice().responds().publishes(&["one"]),
        [
            may_publish("one").into(),
            asked(),
            may_publish("one").into(),
            may_publish("back").into(),
            may_not_publish("two").into(),
        ],
    )
}

fn a_response_is_allowed_as_often_as_was_said() -> Case {
    responding(
        alice().responds_times(2, Duration::from_mins(1)),
        [
            asked(),
            may_publish("back").into(),
            may_publish("back").into(),
            may_not_publish("back").into(),
        ],
    )
}

fn a_response_is_allowed_as_long_as_was_said() -> Case {
    responding(
        alice().responds_times(10, Duration::from_millis(100)),
        [
            asked(),
            vec![then("time passes", |_| sleep(Duration::from_millis(150)))],
            may_not_publish("back").into(),
        ],
    )
}

fn nobody_is_told_503_of_what_was_refused() -> Case {
    Case::on(
        Setup::users([alice().publishes(&["one"])]),
        [
            A.joins_with(
                r#"{"verbose":false,"headers":true,"no_responders":true,"user":"alice","pass":"a"}"#,
            ),
            A.sends("SUB back 1"),
            A.sends("PUB two back 2\r\nhi"),
            is_refused_publishing(A, "two"),
            A.is_quiet(),
            A.sends("PUB one back 2\r\nhi"),
            differs(
                [A.hears("HMSG back 1 16 16\r\nNATS/1.0 503\r\n\r\n")],
                [A.hears("HMSG back 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: one\r\n\r\n")],
            ),
            A.is_quiet(),
        ],
    )
}
