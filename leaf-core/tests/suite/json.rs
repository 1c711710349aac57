//! Small JSON objects, against `serde_json`.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::json::{Value, Writer, read, read_list};
use leaf_core::nats::info::Connect;
use proptest::prelude::*;
use serde_json::json;

fn members() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        (-1e300..1e300).prop_map(|value: f64| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    });
    prop::collection::btree_map(any::<String>(), value, 0..6).prop_map(|map| json!(map))
}

fn expected(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Value::Other(String::new()), Value::Number),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        _ => Value::Other(String::new()),
    }
}

proptest! {
    #[test]
    fn what_others_write_is_read(object in members(), is_pretty: bool) {
        let text = if is_pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
        let found = read(text.expect("JSON").as_bytes()).expect("an object");
        for (key, value) in &found {
            if let Value::Other(written) = value {
                let written: serde_json::Value = serde_json::from_str(written).expect("JSON");
                let again = serde_json::to_string(&object[key]).expect("JSON");
                prop_assert_eq!(written, serde_json::from_str::<serde_json::Value>(&again).expect("JSON"));
            }
        }
        let found: Vec<_> = found.into_iter().map(|(key, value)| match value {
            Value::Other(_) => (key, Value::Other(String::new())),
            value => (key, value),
        }).collect();
        let wanted: Vec<_> = object.as_object().expect("an object").iter().map(|(key, value)| (key.clone(), expected(value))).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_written_others_read(text: String, number: i64, flag: bool) {
        let mut writer = Writer::default();
        writer.text("text", &text);
        writer.number("number", number);
        writer.bool("flag", flag);
        let found: serde_json::Value = serde_json::from_slice(&writer.end()).expect("JSON");
        prop_assert_eq!(found, json!({"text": text, "number": number, "flag": flag}));
    }

    #[test]
    fn what_is_taken_is_json(text in r#"[{}\[\]",:0-9a-e\\\-. ]{0,12}|\{"a":[^}]{0,8}\}"#) {
        // Numbers are looked at less closely than their grammar asks.
        let is_loose = text.contains(|character: char| character.is_ascii_digit() || character == '-');
        if read(text.as_bytes()).is_some() && !is_loose {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }
    }
}

#[test]
fn a_list_of_objects_is_read_and_any_other_list_is_none() {
    let column = |name: &str| vec![("name".to_owned(), Value::Text(name.to_owned()))];
    assert_eq!(
        read_list(br#" [{"name":"a"} , {"name":"b"}] "#),
        Some(vec![column("a"), column("b")])
    );
    assert_eq!(read_list(b"[]"), Some(Vec::new()));
    for bad in ["[1]", "[{}", "[{}] x", "{}", "[[]]", ""] {
        assert_eq!(read_list(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn characters_by_number_are_read_and_depth_is_bounded() {
    let text = br#"{"a":"\u00e4\ud83c\udf43\n\/"}"#;
    assert_eq!(
        read(text),
        Some(vec![(
            "a".to_owned(),
            Value::Text("\u{e4}\u{1f343}\n/".to_owned())
        )])
    );
    for bad in [
        r#"{"a":"\ud83c"}"#,
        r#"{"a":"\ud83cA"}"#,
        r#"{"a":"\udf43"}"#,
        r#"{"a":1"#,
        r#"{"a":1}x"#,
        "[]",
        "",
    ] {
        assert_eq!(read(bad.as_bytes()), None, "{bad}");
    }
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(deep(20).as_bytes()).is_some());
    assert_eq!(read(deep(10_000).as_bytes()), None);
}

#[test]
fn a_client_says_of_itself_what_its_settings_say() {
    let connect = Connect {
        name: "tab \"one\"".to_owned(),
        user: Some("alice".to_owned()),
        pass: Some("p\\w".to_owned()),
        echo: false,
        protocol: 1,
        ..Connect::default()
    };
    let said: Connect = serde_json::from_slice(&connect.write_client()).expect("JSON");
    assert_eq!(
        serde_json::to_value(said).expect("JSON"),
        serde_json::to_value(connect).expect("JSON")
    );
}
