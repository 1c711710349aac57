//! The engine as the worker's script uses it, without network: `tests/browser-suite.sh`.

use super::*;
use crate::host::SUITE;
use js_sys::{Array, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_test::wasm_bindgen_test as test;

const CLONE: &str = r#"{"clone":{"url":"http://localhost/"}}"#;

/// A wire whose every round ends with what `reply` says.
fn wire(reply: impl Fn() -> Promise + 'static) -> Function {
    let closure: Closure<dyn Fn(JsValue) -> Promise> = Closure::new(move |_: JsValue| reply());
    closure.into_js_value().unchecked_into()
}

fn unplugged() -> Function {
    wire(|| Promise::reject(&json(r#"{"code":"network","message":"no network here"}"#)))
}

fn json(text: &str) -> JsValue {
    JSON::parse(text).expect("JSON")
}

fn member(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).expect("an object")
}

fn text(value: &JsValue, name: &str) -> String {
    let found = member(value, name);
    found
        .as_string()
        .or_else(|| found.as_f64().map(|number| number.to_string()))
        .unwrap_or_else(|| format!("{found:?}"))
}

/// An engine on a storage with nothing in it.
async fn empty(carry: Function) -> Engine {
    let store = Store::open(SUITE).await.expect("a private file system");
    store.remove().expect("nobody has it open");
    opened(carry).await
}

async fn opened(carry: Function) -> Engine {
    match Engine::open(SUITE.to_owned(), carry).await {
        Ok(engine) => engine,
        Err(failure) => panic!("{}", text(&failure, "message")),
    }
}

/// An engine that holds a project with one file.
async fn project() -> Engine {
    let engine = empty(unplugged()).await;
    done(&engine, r#"{"create":{"user":"alice"}}"#).await;
    done(&engine, &commit("first", &[("a.txt", "one")])).await;
    engine
}

/// The command that puts `files`.
fn commit(message: &str, files: &[(&str, &str)]) -> String {
    let puts: Vec<String> = files
        .iter()
        .map(|(path, content)| {
            format!(
                r#"{{"put":{{"path":"{path}","bytes":{:?}}}}}"#,
                content.as_bytes()
            )
        })
        .collect();
    format!(
        r#"{{"commit":{{"message":"{message}","changes":[{}]}}}}"#,
        puts.join(",")
    )
}

async fn ask(engine: &Engine, command: JsValue, id: &str) -> Result<JsValue, JsValue> {
    engine.run(command, id.to_owned(), None, None).await
}

/// The reply.
async fn done(engine: &Engine, command: &str) -> JsValue {
    let id = js_sys::Math::random().to_string();
    match ask(engine, json(command), &id).await {
        Ok(reply) => reply,
        Err(failure) => panic!("{command}: {}", text(&failure, "message")),
    }
}

/// Code and blame of the failure.
async fn fails(engine: &Engine, command: &str) -> String {
    let id = js_sys::Math::random().to_string();
    match ask(engine, json(command), &id).await {
        Ok(_) => panic!("{command} succeeds"),
        Err(failure) => {
            assert!(
                text(&failure, "message").len() > 10,
                "it says what happened: {command}"
            );
            format!("{} {}", text(&failure, "code"), text(&failure, "blame"))
        }
    }
}

async fn state(engine: &Engine) -> String {
    text(&done(engine, r#"{"info":{}}"#).await, "state")
}

#[test]
async fn what_is_asked_of_nothing_fails_and_so_does_what_makes_no_sense() {
    let engine = empty(unplugged()).await;
    assert_eq!(state(&engine).await, "empty");
    for command in [
        r#"{"timeline":{}}"#.to_owned(),
        r#"{"sync":{}}"#.to_owned(),
        commit("x", &[]),
    ] {
        assert_eq!(fails(&engine, &command).await, "empty caller", "{command}");
    }
    for command in [
        "{}",
        "null",
        r#""info""#,
        r#"{"fly":{}}"#,
        r#"{"timeline":{"limit":"many"}}"#,
        r#"{"readFile":{}}"#,
    ] {
        assert_eq!(fails(&engine, command).await, "badArguments caller", "{command}");
    }
    assert_eq!(state(&engine).await, "empty");
}

#[test]
async fn a_project_is_made_kept_and_opened_again() {
    let engine = project().await;
    assert_eq!(
        fails(&engine, r#"{"create":{"user":"bob"}}"#).await,
        "exists caller"
    );
    assert_eq!(
        fails(&engine, r#"{"importBegin":{"transfer":"t","size":1}}"#).await,
        "exists caller"
    );
    assert_eq!(fails(&engine, CLONE).await, "exists caller");
    engine.close();
    assert_eq!(fails(&engine, r#"{"timeline":{}}"#).await, "empty caller");
    let again = opened(unplugged()).await;
    let info = done(&again, r#"{"info":{}}"#).await;
    let told = ["state", "checkins", "user", "mainBranch"].map(|name| text(&info, name));
    assert_eq!(told, ["ready", "2", "alice", "trunk"]);
    let file = done(&again, r#"{"readFile":{"path":"a.txt"}}"#).await;
    let bytes: Uint8Array = member(&file, "bytes").dyn_into().expect("bytes");
    assert_eq!(bytes.to_vec(), b"one");
}

#[test]
async fn changes_that_make_no_sense_fail_each_by_its_code_and_leave_nothing() {
    let engine = project().await;
    let checkins = || async { text(&done(&engine, r#"{"info":{}}"#).await, "artifacts") };
    done(&engine, &commit("second", &[("a.txt", "two")])).await;
    let before = checkins().await;
    let entries = member(&done(&engine, r#"{"timeline":{}}"#).await, "entries");
    let first = text(&Array::from(&entries).get(1), "hash");
    let on_first = commit("fork", &[("b.txt", "b")]).replacen('{', "", 1);
    let on_first = on_first.replacen(r#""message""#, &format!(r#""parent":"{first}","message""#), 1);
    for (command, failure) in [
        (commit("same", &[("a.txt", "two")]), "nothingChanged caller"),
        (format!("{{{on_first}"), "wouldFork caller"),
        (commit("out", &[("../a", "x")]), "refused caller"),
        (commit("both", &[("d", "x"), ("d/e", "x")]), "refused caller"),
        (r#"{"readFile":{"path":"none"}}"#.to_owned(), "notFound caller"),
        (r#"{"checkin":{"name":"none"}}"#.to_owned(), "notFound caller"),
        (r#"{"wikiRead":{"title":"none"}}"#.to_owned(), "notFound caller"),
        (r#"{"uvRead":{"name":"none"}}"#.to_owned(), "notFound caller"),
        (
            r#"{"editBranch":{"action":"close","name":"none"}}"#.to_owned(),
            "notFound caller",
        ),
        (
            r#"{"exportRead":{"transfer":"t","offset":0,"length":1}}"#.to_owned(),
            "aborted caller",
        ),
    ] {
        assert_eq!(fails(&engine, &command).await, failure, "{command}");
    }
    assert_eq!(checkins().await, before);
    done(&engine, r#"{"editBranch":{"action":"close","name":"trunk"}}"#).await;
    assert_eq!(
        fails(&engine, &commit("late", &[("a.txt", "x")])).await,
        "refused caller"
    );
}

#[test]
async fn a_commit_that_is_asked_for_twice_is_made_once() {
    let engine = project().await;
    let command = commit("second", &[("b.txt", "b")]);
    let mut hashes = Vec::new();
    for _ in 0..2 {
        match ask(&engine, json(&command), "one and the same").await {
            Ok(reply) => hashes.push(text(&reply, "hash")),
            Err(failure) => panic!("{}", text(&failure, "message")),
        }
    }
    assert_eq!(hashes.first(), hashes.last());
    assert_eq!(text(&done(&engine, r#"{"info":{}}"#).await, "checkins"), "3");
}

#[test]
async fn what_the_wire_says_is_what_the_page_hears_and_nothing_is_left() {
    for (said, heard) in [
        ("network", "network network"),
        ("denied", "denied peer"),
        ("notFossil", "notFossil peer"),
        ("badPeer", "badPeer peer"),
        ("aborted", "aborted caller"),
        ("whatever", "network network"),
    ] {
        let reply = json(&format!(r#"{{"code":"{said}","message":"the wire gave up"}}"#));
        let engine = empty(wire(move || Promise::reject(&reply))).await;
        assert_eq!(fails(&engine, CLONE).await, heard, "{said}");
        assert_eq!(state(&engine).await, "empty", "{said}");
    }
}

#[test]
async fn a_server_that_speaks_something_else_is_named() {
    let page = wire(|| {
        let reply = Object::new();
        for (name, value) in [
            ("contentType", JsValue::from("text/html")),
            ("body", Uint8Array::from(&b"<html>"[..]).into()),
        ] {
            Reflect::set(&reply, &name.into(), &value).expect("an object");
        }
        Promise::resolve(&JsValue::from(reply))
    });
    let engine = empty(page).await;
    assert_eq!(fails(&engine, CLONE).await, "notFossil peer");
    assert_eq!(state(&engine).await, "empty");
}

#[test]
async fn a_file_goes_out_and_in_again() {
    let engine = project().await;
    let before = text(&done(&engine, r#"{"info":{}}"#).await, "projectCode");
    let begun = done(&engine, r#"{"exportBegin":{"transfer":"out"}}"#).await;
    let size = text(&begun, "size");
    let read = format!(r#"{{"exportRead":{{"transfer":"out","offset":0,"length":{size}}}}}"#);
    let bytes: Uint8Array = done(&engine, &read).await.dyn_into().expect("bytes");
    assert_eq!(bytes.length().to_string(), size);
    done(&engine, r#"{"exportEnd":{}}"#).await;
    engine.leaf.clear().expect("cleared");

    let import = |bytes: Uint8Array| {
        let engine = &engine;
        async move {
            let begin = format!(
                r#"{{"importBegin":{{"transfer":"in","size":{}}}}}"#,
                bytes.length()
            );
            let (write, piece) = (Object::new(), Object::new());
            for (object, name, value) in [
                (&piece, "transfer", JsValue::from("in")),
                (&piece, "bytes", bytes.into()),
                (&write, "importWrite", piece.clone().into()),
            ] {
                Reflect::set(object, &name.into(), &value).expect("an object");
            }
            let end = json(r#"{"importEnd":{"transfer":"in"}}"#);
            let id = js_sys::Math::random().to_string();
            ask(engine, json(&begin), "begin").await?;
            ask(engine, write.into(), "write").await?;
            ask(engine, end, &id).await
        }
    };
    for (what, odd) in [
        ("text", Uint8Array::from(&b"no database ".repeat(500)[..])),
        (
            "pages of text",
            Uint8Array::from(&b"no database at all".repeat(4096)[..8192]),
        ),
        ("a half", bytes.slice(0, bytes.length() / 8192 * 4096)),
    ] {
        let Err(failure) = import(odd).await else {
            panic!("{what} is taken")
        };
        let code = text(&failure, "code");
        assert!(matches!(code.as_str(), "refused" | "damaged"), "{what}: {code}");
        assert_eq!(state(&engine).await, "empty", "{what}");
    }
    let Ok(info) = import(bytes).await else {
        panic!("the file is taken")
    };
    assert_eq!(
        ["state", "checkins", "projectCode"].map(|name| text(&info, name)),
        ["ready", "2", &before]
    );
    let verified = done(&engine, r#"{"verify":{}}"#).await;
    assert_eq!(member(&verified, "isSound"), JsValue::TRUE);
}
