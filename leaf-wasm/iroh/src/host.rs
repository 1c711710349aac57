//! Values of JavaScript: what the script is asked, and what it is told.

use js_sys::{Function, Object, Promise, Reflect};
use leaf_iroh::{IrohError, WireError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The script that answers for the leaf: a function of one object.
#[derive(Clone, Debug)]
pub(crate) struct Host(Function);

impl Host {
    pub(crate) fn new(answer: Function) -> Self {
        Self(answer)
    }

    /// Asks it; a rejection is what to tell whoever called.
    pub(crate) async fn ask(&self, question: &[(&str, JsValue)]) -> Result<JsValue, String> {
        let answered = self.0.call1(&JsValue::UNDEFINED, &object(question));
        let waited = match answered {
            Ok(value) => match value.dyn_into::<Promise>() {
                Ok(promise) => JsFuture::from(promise).await,
                Err(value) => Ok(value),
            },
            Err(error) => Err(error),
        };
        waited.map_err(|error| text(&error, "message").unwrap_or_else(|| "internal error".to_owned()))
    }
}

/// An object of these fields.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // A plain object takes every field.
        Reflect::set(&object, &JsValue::from_str(name), value).ok();
    }
    object.into()
}

/// A field of an object.
pub(crate) fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// A field that is a text.
pub(crate) fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name).as_string()
}

/// A failure as the engine's wire knows it: `{code, message}`.
pub(crate) fn failure(code: &str, message: &str) -> JsValue {
    object(&[("code", code.into()), ("message", message.into())])
}

/// The same, for what went wrong between two leaves.
pub(crate) fn failed(error: &IrohError) -> JsValue {
    let code = match error {
        IrohError::NotListed { .. } | IrohError::Refused(_) => "denied",
        IrohError::Line(_) => "notFossil",
        IrohError::Wire(WireError::TooLarge { .. } | WireError::NoLine) => "badPeer",
        IrohError::Connect { .. } | IrohError::Wire(_) => "network",
    };
    failure(code, &error.to_string())
}
