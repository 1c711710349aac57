//! Queue groups: one member of each gets a message, whichever it is.
//!
//! Source: `server/client.go` `processMsgResults()`, `server/sublist.go` `addNodeToResults()`.

use crate::case::{A, B, C, Case, D, Stage, Step, Who, then};

on_every_broker![
    one_member_gets_it_and_all_get_some,
    members_on_one_connection_share,
    the_group_is_the_name_whatever_the_subject,
    each_group_gets_a_message,
    plain_subscriptions_get_it_besides,
    a_group_of_one_gets_all,
    names_of_groups_are_taken_as_they_are,
    who_leaves_the_group_is_passed_over,
    a_member_that_left_its_connection_is_passed_over,
    a_member_with_a_maximum_takes_no_more,
    a_publisher_without_echo_leaves_it_to_the_others,
    a_message_is_lost_when_its_publisher_without_echo_is_alone,
];

const JOBS: usize = 200;

/// `who` publishes many jobs, and they are done.
fn publishes(who: Who) -> [Step; 2] {
    let jobs: String = (0..JOBS).map(|n| format!("PUB job 3\r\n{n:03}\r\n")).collect();
    [who.sends_bytes(jobs), who.is_quiet()]
}

/// The jobs that `who` got under `sid`.
fn jobs(stage: &mut Stage, who: Who, sid: &str) -> Vec<usize> {
    let heard = String::from_utf8(stage.wire(who).so_far()).expect("text");
    let start = format!("MSG job {sid} 3\r\n");
    let jobs = heard.split_inclusive(&start).skip(1);
    let jobs = jobs.map(|job| job.get(..3).expect("a number").parse().expect("a number"));
    jobs.collect()
}

/// Those of `parts` are each job once, each part in order, and none is empty.
fn are_shared(parts: &[Vec<usize>]) {
    for part in parts {
        assert!(!part.is_empty(), "of {JOBS} jobs a member got none");
        assert!(part.is_sorted(), "in the order in which they were sent: {part:?}");
    }
    let mut all = parts.concat();
    all.sort_unstable();
    assert_eq!(all, (0..JOBS).collect::<Vec<_>>());
}

fn case(steps: impl IntoIterator<Item = Vec<Step>>) -> Case {
    Case::new(steps.into_iter().flatten().collect::<Vec<_>>())
}

fn member(who: Who, line: &str) -> Vec<Step> {
    vec![who.joins(), who.sends(line), who.is_quiet()]
}

fn one_member_gets_it_and_all_get_some() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB job workers 2"),
        member(C, "SUB job workers 3"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("each job went to one", |stage| {
            are_shared(&[jobs(stage, A, "1"), jobs(stage, B, "2"), jobs(stage, C, "3")]);
        })],
    ])
}

fn members_on_one_connection_share() -> Case {
    case([
        member(A, "SUB job workers 1\r\nSUB job workers 2"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("each job went to one", |stage| {
            let heard = String::from_utf8(stage.wire(A).so_far()).expect("text");
            let count = |sid: &str| heard.matches(&format!("MSG job {sid} 3\r\n")).count();
            assert_eq!(count("1") + count("2"), JOBS);
            assert!(count("1") > 0 && count("2") > 0);
        })],
    ])
}

fn the_group_is_the_name_whatever_the_subject() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB * workers 2"),
        member(C, "SUB > workers 3"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("each job went to one", |stage| {
            are_shared(&[jobs(stage, A, "1"), jobs(stage, B, "2"), jobs(stage, C, "3")]);
        })],
    ])
}

fn each_group_gets_a_message() -> Case {
    case([
        member(A, "SUB job red 1"),
        member(B, "SUB job red 2"),
        member(C, "SUB job blue 3"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("each group got each job", |stage| {
            are_shared(&[jobs(stage, A, "1"), jobs(stage, B, "2")]);
            are_shared(&[jobs(stage, C, "3")]);
        })],
    ])
}

fn plain_subscriptions_get_it_besides() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB job workers 2"),
        member(C, "SUB job 3"),
        member(D, "SUB * 4"),
        publishes(C).into_iter().take(1).collect(),
        vec![then("all went to the plain ones", |stage| {
            are_shared(&[jobs(stage, C, "3")]);
            are_shared(&[jobs(stage, D, "4")]);
            are_shared(&[jobs(stage, A, "1"), jobs(stage, B, "2")]);
        })],
    ])
}

fn a_group_of_one_gets_all() -> Case {
    case([
        member(A, "SUB job workers 1"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("it got all", |stage| are_shared(&[jobs(stage, A, "1")]))],
    ])
}

/// Not a subject, so neither wildcards nor empty tokens mean anything in it.
fn names_of_groups_are_taken_as_they_are() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one a..b 1\r\nSUB one > 2\r\nSUB one * 3"),
        A.sends("PUB one 2\r\nhi"),
        A.hears_in_any_order(&["MSG one 1 2\r\nhi", "MSG one 2 2\r\nhi", "MSG one 3 2\r\nhi"]),
        A.is_quiet(),
    ])
}

fn who_leaves_the_group_is_passed_over() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB job workers 2\r\nUNSUB 2"),
        publishes(B).into(),
        vec![then("A got all", |stage| are_shared(&[jobs(stage, A, "1")]))],
    ])
}

fn a_member_that_left_its_connection_is_passed_over() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB job workers 2"),
        // Cut off by the broker, which thus knows that it is gone.
        vec![
            B.sends("HELLO"),
            B.is_told("Unknown Protocol Operation"),
            B.is_cut(),
            D.joins(),
        ],
        publishes(D).into(),
        vec![then("A got all", |stage| are_shared(&[jobs(stage, A, "1")]))],
    ])
}

fn a_member_with_a_maximum_takes_no_more() -> Case {
    case([
        member(A, "SUB job workers 1"),
        member(B, "SUB job workers 2\r\nUNSUB 2 3"),
        vec![D.joins()],
        publishes(D).into(),
        vec![then("B got 3", |stage| {
            let (a, b) = (jobs(stage, A, "1"), jobs(stage, B, "2"));
            assert_eq!(b.len(), 3);
            are_shared(&[a, b]);
        })],
    ])
}

const NO_ECHO: &str = r#"{"verbose":false,"pedantic":false,"echo":false}"#;

fn a_publisher_without_echo_leaves_it_to_the_others() -> Case {
    case([
        vec![A.joins_with(NO_ECHO), A.sends("SUB job workers 1"), A.is_quiet()],
        member(B, "SUB job workers 2"),
        publishes(A).into(),
        vec![then("B got all", |stage| are_shared(&[jobs(stage, B, "2")]))],
    ])
}

fn a_message_is_lost_when_its_publisher_without_echo_is_alone() -> Case {
    case([
        vec![A.joins_with(NO_ECHO), A.sends("SUB job workers 1"), A.is_quiet()],
        publishes(A).into(),
        vec![A.is_quiet()],
    ])
}
