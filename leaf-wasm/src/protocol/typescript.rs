//! Writes the TypeScript of the protocol into `npm/src/protocol.ts`, and fails when that was not up to date.

use super::*;
use ts_rs::{Config, TS, TypeVisitor};

/// Collects a type and all it is made of.
struct Collect<'c> {
    config: &'c Config,
    found: std::collections::BTreeMap<String, String>,
}

impl TypeVisitor for Collect<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        T::visit_generics(self);
        // What has no file of its own is part of TypeScript itself.
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(self.config);
        if self.found.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.found
            .insert(name, format!("{docs}export {}\n", T::decl_concrete(self.config)));
        T::visit_dependencies(self);
    }
}

#[test]
fn the_typescript_of_the_protocol_is_up_to_date() {
    let config = Config::new().with_large_int("number");
    let mut collect = Collect {
        config: &config,
        found: std::collections::BTreeMap::new(),
    };
    collect.visit::<Command>();
    collect.visit::<Replies>();
    collect.visit::<Failure>();
    collect.visit::<Progress>();
    collect.visit::<Connect>();
    collect.visit::<MeshStatus>();
    let types: Vec<String> = collect.found.into_values().collect();
    let text = format!(
        "// Generated from leaf-wasm/src/protocol.rs by `cargo test -p leaf-wasm`. Not to be edited.\n\n{}",
        types.join("\n")
    );
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/src/protocol.ts");
    let before = std::fs::read_to_string(file).unwrap_or_default();
    std::fs::write(file, &text).expect("npm/src/protocol.ts can be written");
    assert!(
        before == text,
        "npm/src/protocol.ts was not up to date; it is now: commit it"
    );
}
