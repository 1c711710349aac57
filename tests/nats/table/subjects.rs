//! Subjects: which are one, and which match.
//!
//! Source: `server/sublist.go` `IsValidSubject()`, `IsValidLiteralSubject()`, `Match()`, `matchLiteral()`.

use crate::case::{A, Case, Step};

on_every_broker![
    a_subject_matches_itself_alone,
    case_matters,
    a_star_stands_for_one_token,
    several_stars,
    a_greater_sign_stands_for_one_token_or_more,
    star_and_greater_sign_together,
    everything,
    wildcards_within_a_token_are_letters,
    subjects_that_begin_with_a_dollar_are_ordinary,
    a_subject_may_have_many_tokens,
    a_subject_may_have_long_tokens_and_any_letters,
    a_subject_with_an_empty_token_cannot_be_subscribed,
    a_greater_sign_is_the_last_token,
    a_refused_subject_leaves_its_sid_free,
    a_refused_subject_says_no_ok,
    publishing_to_wildcards_reaches_what_they_match_as_letters,
    publishing_to_no_subject_is_said_to_pedantic_clients,
    publishing_to_no_subject_is_passed_over_otherwise,
    publishing_to_an_empty_token_reaches_nobody,
    the_subject_of_a_message_is_what_was_published,
];

/// Subscribes to `pattern`, then publishes to each: it reaches it or not.
fn reach(pattern: &str, yes: &[&str], no: &[&str]) -> Vec<Step> {
    let mut steps = vec![A.joins(), A.sends(&format!("SUB {pattern} 1"))];
    for subject in yes {
        steps.push(A.sends(&format!("PUB {subject} 1\r\n+")));
        steps.push(A.hears(&format!("MSG {subject} 1 1\r\n+")));
    }
    for subject in no {
        steps.push(A.sends(&format!("PUB {subject} 1\r\n-")));
        steps.push(A.is_quiet());
    }
    steps
}

fn a_subject_matches_itself_alone() -> Case {
    Case::new(reach(
        "one.two",
        &["one.two"],
        &["one", "two", "one.two.three", "one.twofold", "one.tw", "onetwo"],
    ))
}

fn case_matters() -> Case {
    Case::new(reach("One", &["One"], &["one", "ONE"]))
}

fn a_star_stands_for_one_token() -> Case {
    Case::new(reach(
        "one.*.three",
        &["one.two.three", "one.2.three"],
        &["one.three", "one.two.two.three", "one.two", "one.two.three.four"],
    ))
}

fn several_stars() -> Case {
    Case::new(reach(
        "*.*",
        &["one.two", "three.four"],
        &["one", "one.two.three"],
    ))
}

fn a_greater_sign_stands_for_one_token_or_more() -> Case {
    Case::new(reach(
        "one.>",
        &["one.two", "one.two.three.four"],
        &["one", "two", "onefold.two"],
    ))
}

fn star_and_greater_sign_together() -> Case {
    Case::new(reach(
        "*.two.>",
        &["one.two.three", "two.two.two.two"],
        &["one.two", "one.three.two", "two.one.two"],
    ))
}

fn everything() -> Case {
    Case::new(reach(">", &["one", "one.two", "$SYS.mine", "_INBOX.x.y"], &[]))
}

fn wildcards_within_a_token_are_letters() -> Case {
    let mut steps = reach("one*", &["one*"], &["one", "onetwo", "one.two"]);
    steps.extend(reach("one.t>", &["one.t>"], &["one.two", "one.t", "one.t.x"]));
    steps.extend(reach("**.>x", &["**.>x"], &["one.two", "*.x"]));
    steps.extend(reach("*x.y*.*", &["*x.y*.one"], &["one.two.three"]));
    Case::new(steps)
}

fn subjects_that_begin_with_a_dollar_are_ordinary() -> Case {
    Case::new(reach("$ONE.*", &["$ONE.two"], &["ONE.two"]))
}

fn a_subject_may_have_many_tokens() -> Case {
    let many = vec!["t"; 40].join(".");
    Case::new(reach(&format!("{many}.*"), &[&format!("{many}.t")], &[&many]))
}

fn a_subject_may_have_long_tokens_and_any_letters() -> Case {
    let long = "l".repeat(1000);
    let mut steps = reach(&long, &[&long], &[&format!("{long}l")]);
    steps.extend(reach("grüße.*", &["grüße.日本"], &["gruesse.x"]));
    steps.extend(reach("a/b:c=d", &["a/b:c=d"], &["a/b"]));
    Case::new(steps)
}

/// Each of `subjects` is refused, and the connection goes on.
fn refused(subjects: &[&str]) -> Case {
    let mut steps = vec![A.joins()];
    for (sid, subject) in subjects.iter().enumerate() {
        steps.push(A.sends(&format!("SUB {subject} {sid}")));
        steps.push(A.is_told("Invalid Subject"));
    }
    steps.push(A.is_quiet());
    Case::new(steps)
}

fn a_subject_with_an_empty_token_cannot_be_subscribed() -> Case {
    refused(&[".", "..", ".one", "one.", "one..two", "*..>", "one.*."])
}

fn a_greater_sign_is_the_last_token() -> Case {
    refused(&[">.one", "one.>.two", ">.>", "one.>."])
}

fn a_refused_subject_leaves_its_sid_free() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one..two 1"),
        A.is_told("Invalid Subject"),
        A.sends("SUB one 1"),
        A.sends("PUB one 2\r\nhi"),
        A.hears("MSG one 1 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn a_refused_subject_says_no_ok() -> Case {
    Case::new([
        A.opens(),
        A.sends("CONNECT {}"),
        A.hears("+OK"),
        A.sends("SUB one..two 1"),
        A.is_told("Invalid Subject"),
        A.is_quiet(),
    ])
}

fn publishing_to_wildcards_reaches_what_they_match_as_letters() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB one.two 1"),
        A.sends("SUB one.* 2"),
        A.sends("PUB one.* 2\r\nhi"),
        A.hears("MSG one.* 2 2\r\nhi"),
        A.is_quiet(),
    ])
}

fn publishing_to_no_subject_is_said_to_pedantic_clients() -> Case {
    let mut steps = vec![A.joins_with(r#"{"verbose":false,"pedantic":true,"headers":true}"#)];
    for subject in ["one..two", ".one", "one.", "one.*", "one.>", ">", "*"] {
        steps.push(A.sends(&format!("PUB {subject} 0\r\n")));
        steps.push(A.is_told("Invalid Publish Subject"));
        steps.push(A.sends(&format!("HPUB {subject} 12 12\r\nNATS/1.0\r\n\r\n")));
        steps.push(A.is_told("Invalid Publish Subject"));
    }
    for subject in ["one", "one.two*", "one>", "$SYS"] {
        steps.push(A.sends(&format!("PUB {subject} 0\r\n")));
    }
    steps.push(A.is_quiet());
    Case::new(steps)
}

fn publishing_to_no_subject_is_passed_over_otherwise() -> Case {
    let mut steps = vec![A.joins()];
    for subject in ["one..two", ".one", "one.", "one.*", "one.>", ">", "*"] {
        steps.push(A.sends(&format!("PUB {subject} 0\r\n")));
    }
    steps.push(A.is_quiet());
    Case::new(steps)
}

fn publishing_to_an_empty_token_reaches_nobody() -> Case {
    let mut steps = reach("one.*.two", &[], &["one..two"]);
    steps.extend(reach("one.*", &[], &["one."]));
    steps.extend(reach("*.one", &[], &[".one"]));
    Case::new(steps)
}

fn the_subject_of_a_message_is_what_was_published() -> Case {
    Case::new([
        A.joins(),
        A.sends("SUB > 1"),
        A.sends("PUB one.two 2\r\nhi"),
        A.hears("MSG one.two 1 2\r\nhi"),
        A.sends("PUB one.three back.to.me 2\r\nhi"),
        A.hears("MSG one.three 1 back.to.me 2\r\nhi"),
        A.is_quiet(),
    ])
}
