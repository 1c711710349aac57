//! Which web pages may use this server.
//!
//! A browser says from which origin a request comes and hides the reply from other origins, but sends the request
//! all the same: what comes from an unknown origin is refused before anything is done. Whoever is no browser says
//! no origin and is not asked for one.
//!
//! Source: threat 17; the Fetch standard, section 3.2 (HTTP-CORS protocol); RFC 6454.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::str::FromStr;
use url::Url;

/// What pages may send besides what every page may.
const REQUEST_HEADERS: &str = "content-type, if-none-match";
/// What pages may read of a reply besides what every page may.
const REPLY_HEADERS: &str = "content-disposition, etag, retry-after";
/// How long a browser need not ask again. Units: seconds; no browser keeps it longer than two hours.
const MAX_AGE: &str = "7200";
const PRIVATE_NETWORK_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE_NETWORK_GRANTED: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// An origin whose pages may use a server, as browsers write it, or every origin.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum AllowOrigin {
    /// `*`: every page, but none with cookies.
    Any,
    /// `https://example.org`, `http://localhost:5173`.
    One(String),
}

/// The text is no origin.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("an origin like https://example.org or http://localhost:5173, without a path; or * for every page")]
pub struct BadOrigin;

impl TryFrom<String> for AllowOrigin {
    type Error = BadOrigin;

    fn try_from(text: String) -> Result<Self, BadOrigin> {
        text.parse()
    }
}

impl FromStr for AllowOrigin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        match text {
            "*" => Ok(Self::Any),
            _ => origin(text).map(Self::One).ok_or(BadOrigin),
        }
    }
}

/// Which origins are answered.
#[derive(Debug)]
pub(super) struct CorsRule {
    any: bool,
    allowed: Vec<String>,
    /// The origin of the URL by which clients reach this server.
    base: Option<String>,
}

/// What a request is granted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Granted {
    /// What a program or a page of this server may.
    AtHome,
    /// To be read by pages of its origin, cookies and all.
    Origin,
    /// To be read by every page, without cookies.
    Any,
}

impl CorsRule {
    pub(super) fn new(allowed: &[AllowOrigin], base_url: Option<&str>) -> Self {
        let listed = allowed.iter().filter_map(|allowed| match allowed {
            AllowOrigin::Any => None,
            AllowOrigin::One(origin) => Some(origin.clone()),
        });
        let base = base_url.and_then(|url| Url::parse(url).ok());
        Self {
            any: allowed.contains(&AllowOrigin::Any),
            allowed: listed.collect(),
            base: base.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// What a request with these headers is granted here, at `scheme`; else the refusal.
    pub(super) fn check(&self, headers: &HeaderMap, scheme: &str) -> Result<Granted, String> {
        let mut granted = Granted::AtHome;
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let own = host.and_then(|host| origin(&format!("{scheme}://{host}")));
        for said in headers.get_all(header::ORIGIN) {
            let said = said.to_str().ok().and_then(origin);
            if said.is_some() && (said == own || said == self.base) {
                continue;
            }
            granted = match said {
                Some(said) if self.allowed.contains(&said) => Granted::Origin,
                _ if self.any => Granted::Any,
                said => {
                    let origin = said.unwrap_or_else(|| "ORIGIN".to_owned());
                    return Err(format!(
                        "pages from elsewhere may not use this server; if they are to: leaf serve --allow-origin {origin}"
                    ));
                }
            }
        }
        Ok(granted)
    }
}

impl Granted {
    /// Tells the browser of a page what it may do with the reply to a request with these headers.
    pub(super) fn tell(self, asked: &HeaderMap, reply: &mut HeaderMap) {
        reply.append(header::VARY, HeaderValue::from_static("Origin"));
        let mut set = |name, value| reply.insert(name, value);
        match self {
            Self::AtHome => return,
            Self::Any => set(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            Self::Origin => {
                let yes = HeaderValue::from_static("true");
                set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
                asked
                    .get(header::ORIGIN)
                    .and_then(|origin| set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()))
            }
        };
        let told = HeaderValue::from_static(REPLY_HEADERS);
        reply.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, told);
    }

    /// The answer to a browser that asks what a page may send, before it sends it.
    pub(super) fn preflight(self, asked: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        if self == Self::AtHome {
            return Vec::new();
        }
        let mut told = vec![
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        if asked
            .get(PRIVATE_NETWORK_ASKED)
            .is_some_and(|asked| asked == "true")
        {
            told.push((PRIVATE_NETWORK_GRANTED, "true"));
        }
        let values = told.into_iter();
        values
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }
}

/// An origin as browsers write it: no default port, lower case; `None` for what has no origin.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let host = url.host_str().filter(|host| is_bare && !host.is_empty())?;
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    // Of extensions and shells around pages; browsers write their origins like that too.
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(allowed: &[&str], headers: &[(HeaderName, &str)]) -> Result<Granted, String> {
        let allowed: Vec<AllowOrigin> = allowed.iter().map(|text| text.parse().expect("good")).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().expect("a value"));
        }
        CorsRule::new(&allowed, Some("https://base.example/x")).check(&map, "http")
    }

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        for (text, written) in [
            ("https://Example.org", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
            ("app://Local:3", "app://local:3"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(written));
        }
        for bad in [
            "",
            "null",
            "example.org",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://u@a",
            "file:///",
            "a b",
        ] {
            assert_eq!(bad.parse::<AllowOrigin>().ok(), None, "{bad}");
        }
    }

    #[test]
    fn whoever_says_no_origin_or_our_own_is_at_home() {
        let host = (header::HOST, "leaf:8080");
        assert_eq!(granted(&[], std::slice::from_ref(&host)), Ok(Granted::AtHome));
        for own in ["http://leaf:8080", "https://base.example"] {
            assert_eq!(
                granted(&[], &[host.clone(), (header::ORIGIN, own)]),
                Ok(Granted::AtHome)
            );
        }
        for other in ["https://leaf:8080", "http://leaf", "http://leaf:8081", "null", ""] {
            assert!(
                granted(&[], &[host.clone(), (header::ORIGIN, other)]).is_err(),
                "{other}"
            );
        }
        assert!(
            granted(&[], &[(header::ORIGIN, "null")]).is_err(),
            "no host, no origin: not the same"
        );
    }

    #[test]
    fn a_star_gives_no_cookies_and_a_name_beside_it_does() {
        let both = ["*", "https://a.example"];
        assert_eq!(
            granted(&both, &[(header::ORIGIN, "https://a.example")]),
            Ok(Granted::Origin)
        );
        assert_eq!(
            granted(&both, &[(header::ORIGIN, "https://b.example")]),
            Ok(Granted::Any)
        );
        assert_eq!(granted(&both, &[(header::ORIGIN, "null")]), Ok(Granted::Any));
    }

    #[test]
    fn one_unknown_origin_of_two_is_enough() {
        let two = [
            (header::ORIGIN, "https://a.example"),
            (header::ORIGIN, "https://b.example"),
        ];
        assert!(granted(&["https://a.example"], &two).is_err());
    }
}
