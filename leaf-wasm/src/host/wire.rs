//! One round: a request out, its reply back, by a function that the host brings.
//!
//! In a browser that is `fetch` (`npm/src/wire.ts`).

use crate::failure::Failed;
use crate::protocol::Code;
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use leaf_core::xfer::ContentType;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// The host's function. It takes `{url, contentType, body, signal, onBytes}` and resolves to
/// `{contentType, body}`, or rejects with `{code, message}`.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Function);

/// A request.
#[derive(Debug)]
pub(crate) struct Round<'a> {
    /// Where to.
    pub(crate) url: &'a str,
    /// What it is.
    pub(crate) content_type: ContentType,
    /// All of it.
    pub(crate) body: &'a [u8],
    /// Ends it early.
    pub(crate) signal: Option<&'a AbortSignal>,
}

/// A reply.
#[derive(Debug)]
pub(crate) struct Carried {
    /// What it is.
    pub(crate) content_type: ContentType,
    /// All of it.
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// Takes the host's function.
    pub(crate) fn new(carry: Function) -> Self {
        Self(carry)
    }

    /// Carries one round. `on_bytes` hears how much of the reply is there.
    pub(crate) async fn carry(
        &self,
        round: &Round<'_>,
        on_bytes: Box<dyn FnMut(f64)>,
    ) -> Result<Carried, Failed> {
        let on_bytes = Closure::wrap(on_bytes);
        let request = Object::new();
        let signal = round.signal.map_or(JsValue::UNDEFINED, JsValue::from);
        for (name, value) in [
            ("url", round.url.into()),
            ("contentType", round.content_type.as_str().into()),
            ("body", Uint8Array::from(round.body).into()),
            ("signal", signal),
            ("onBytes", on_bytes.as_ref().clone()),
        ] {
            Reflect::set(&request, &name.into(), &value).map_err(|_| broken("a request"))?;
        }
        let promise = self
            .0
            .call1(&JsValue::UNDEFINED, &request)
            .map_err(|error| rejected(&error))?;
        let reply = JsFuture::from(Promise::resolve(&promise))
            .await
            .map_err(|error| rejected(&error))?;
        let member = |name: &str| Reflect::get(&reply, &name.into()).map_err(|_| broken("a reply"));
        let content_type = member("contentType")?.as_string().unwrap_or_default();
        let content_type = ContentType::parse(&content_type).ok_or_else(|| {
            Failed::new(
                Code::NotFossil,
                format!("the server does not speak the Fossil sync protocol: it answers with {content_type}; check the URL"),
            )
        })?;
        let body = member("body")?
            .dyn_into::<Uint8Array>()
            .map_err(|_| broken("a reply"))?;
        Ok(Carried {
            content_type,
            body: body.to_vec(),
        })
    }
}

/// What the host's function said when it gave up.
fn rejected(error: &JsValue) -> Failed {
    let member = |name: &str| {
        Reflect::get(error, &name.into())
            .ok()
            .and_then(|value| value.as_string())
    };
    let code = match member("code").as_deref() {
        Some("aborted") => Code::Aborted,
        Some("denied") => Code::Denied,
        Some("notFossil") => Code::NotFossil,
        Some("badPeer") => Code::BadPeer,
        _ => Code::Network,
    };
    Failed::new(
        code,
        member("message").unwrap_or_else(|| "the network failed".to_owned()),
    )
}

fn broken(what: &str) -> Failed {
    Failed::new(
        Code::Internal,
        format!("{what} could not be passed between script and WebAssembly"),
    )
}
