//! An answer and what every answer says of itself.

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use leaf_core::sync::Served;

/// The type of what is for people to read as it stands.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// An answer and what the access log says of it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    /// Besides or instead of what every answer says of itself.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) served: Served,
}

impl Answer {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            headers: Vec::new(),
            served: Served::default(),
        }
    }

    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        Self::new(status, TEXT, format!("{text}\n"))
    }

    /// A refusal of whoever asks, which the operator sees in the log.
    pub(super) fn forbidden(why: &str) -> Self {
        let mut answer = Self::text(StatusCode::FORBIDDEN, why);
        answer.served.error = Some(why.to_owned());
        answer
    }

    /// The client has it already.
    pub(super) fn not_modified() -> Self {
        Self::new(StatusCode::NOT_MODIFIED, TEXT, "")
    }

    /// Says more of itself.
    pub(super) fn says(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The same for a value that is made up. One that no header can hold is left out.
    pub(super) fn says_of_itself(mut self, name: HeaderName, value: &str) -> Self {
        self.headers
            .extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Writes what it says into the head of a reply.
    pub(super) fn write_headers(&self, head: &mut HeaderMap) {
        let mut set =
            |name: HeaderName, value: &'static str| head.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, self.content_type);
        set(header::CONNECTION, "close");
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::REFERRER_POLICY, "no-referrer");
        set(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
        if self.content_type.starts_with("text/html") {
            set(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'",
            );
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            set(header::RETRY_AFTER, "5");
        }
        for (name, value) in &self.headers {
            head.insert(name, value.clone());
        }
    }
}

/// Keeps pages from elsewhere from loading a reply unseen; one that may use the server asks to see it.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether a client that asks with `headers` has what is tagged `tag` (quotes included) already.
pub(super) fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
