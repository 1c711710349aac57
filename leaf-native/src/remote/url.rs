//! Where a server is and as whom to call, with the password split off at once.
//!
//! Source: Fossil `src/url.c` `url_parse_local()`, whose canonical form is what `last-sync-url` holds.

use std::fmt;

/// A password. Never printed.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself, for the one who signs with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a text is not the URL of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadUrl {
    /// Not the shape `http[s]://[user[:password]@]host[:port][/path]`.
    #[error("not a URL; expected http[s]://[user[:password]@]host[:port][/path]")]
    Malformed,
    /// A scheme that nothing here speaks.
    #[error("only http://, https://, nats://, tls://, ws://, wss:// and iroh:// are supported")]
    Scheme,
}

/// The URL of a server, without password or fragment, and without a query but for that of a key, which says where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteUrl {
    url: url::Url,
}

impl RemoteUrl {
    /// Parses a URL and splits the password off it.
    ///
    /// # Errors
    ///
    /// [`BadUrl`], which never repeats the text, as a password may be in it.
    pub fn parse(text: &str) -> Result<(Self, Option<Secret>), BadUrl> {
        let mut url = url::Url::parse(text).map_err(|_| BadUrl::Malformed)?;
        let wires = ["http", "https", "nats", "tls", "ws", "wss", "iroh"];
        if !wires.contains(&url.scheme()) {
            return Err(BadUrl::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(BadUrl::Malformed);
        }
        let secret = url
            .password()
            .filter(|password| !password.is_empty())
            .map(|password| Secret(decode(password)));
        url.set_password(None).map_err(|()| BadUrl::Malformed)?;
        if url.scheme() != "iroh" {
            url.set_query(None);
        }
        url.set_fragment(None);
        Ok((Self { url }, secret))
    }

    /// The login name in the URL.
    pub fn user(&self) -> Option<String> {
        Some(self.url.username())
            .filter(|user| !user.is_empty())
            .map(decode)
    }

    /// The same server for another login.
    #[must_use]
    pub fn with_user(&self, user: &str) -> Self {
        let mut url = self.url.clone();
        // A URL with a host takes a user name.
        url.set_username(user).ok();
        Self { url }
    }

    /// The form that Fossil remembers: with the login name, without `/` alone as the path.
    pub fn canonical(&self) -> String {
        let text = self.url.as_str();
        let bare = matches!(self.url.path(), "" | "/");
        if bare {
            text.trim_end_matches('/').to_owned()
        } else {
            text.to_owned()
        }
    }

    /// Where requests go: nothing of the login in it.
    pub fn target(&self) -> String {
        let mut url = self.url.clone();
        // A URL with a host takes an empty user name.
        url.set_username("").ok();
        url.to_string()
    }

    /// How the server is called.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Whether it is a NATS server: by `tls` and `nats`, or by `wss` and `ws` through a `WebSocket`.
    pub fn is_nats(&self) -> bool {
        matches!(self.scheme(), "nats" | "tls" | "ws" | "wss")
    }

    /// Whether it is a leaf that is called by its key.
    pub fn is_iroh(&self) -> bool {
        self.scheme() == "iroh"
    }

    /// Whom marks are kept for: where a key is, may change.
    pub fn marked(&self) -> String {
        let mut bare = self.clone();
        if bare.is_iroh() {
            bare.url.set_query(None);
        }
        bare.canonical()
    }

    /// The host, as it stands in the URL.
    pub fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// The port, or the one that is usual for the scheme.
    pub fn port(&self) -> u16 {
        let usual = if matches!(self.scheme(), "nats" | "tls") {
            4222
        } else {
            80
        };
        self.url.port_or_known_default().unwrap_or(usual)
    }

    /// The project that the path names behind a NATS server; that of a `WebSocket` names none.
    pub fn project(&self) -> Option<String> {
        let name = decode(self.url.path().trim_matches('/'));
        Some(name).filter(|name| !name.is_empty() && matches!(self.scheme(), "nats" | "tls"))
    }

    /// Encrypted on the way?
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the server is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether both name one server: scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// Where a redirection leads, with our login name put back.
    ///
    /// # Errors
    ///
    /// [`BadUrl`].
    pub fn join(&self, location: &str) -> Result<Self, BadUrl> {
        let joined = self.url.join(location).map_err(|_| BadUrl::Malformed)?;
        let (mut next, _) = Self::parse(joined.as_str())?;
        if let Some(path) = next.url.path().strip_suffix("/xfer").map(str::to_owned) {
            next.url.set_path(&path);
        }
        next.url
            .set_username(self.url.username())
            .map_err(|()| BadUrl::Malformed)?;
        Ok(next)
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_split_off_and_appears_in_no_form_of_the_url() {
        let (url, secret) =
            RemoteUrl::parse("http://bob:s%40crt@Example.org:8080/repo?x=s%40crt").expect("good URL");
        assert_eq!(secret.expect("there was one").reveal(), "s@crt");
        assert_eq!(url.user().as_deref(), Some("bob"));
        assert_eq!(url.canonical(), "http://bob@example.org:8080/repo");
        assert_eq!(url.target(), "http://example.org:8080/repo");
        assert!(!format!("{url:?}").contains("crt"));
    }

    #[test]
    fn a_redirection_keeps_the_login_and_loses_xfer() {
        let (url, _) = RemoteUrl::parse("http://bob@example.org/a").expect("good URL");
        assert_eq!(
            url.join("https://mallory@other.org/b/xfer")
                .expect("good")
                .canonical(),
            "https://bob@other.org/b"
        );
        assert_eq!(
            url.join("/c").expect("good").canonical(),
            "http://bob@example.org/c"
        );
        assert_eq!(url.join("ftp://other.org/"), Err(BadUrl::Scheme));
    }

    #[test]
    fn a_bad_url_is_not_repeated_in_the_error() {
        for bad in ["bob:secret@host", "http://", "ftp://bob:secret@host/"] {
            let error = RemoteUrl::parse(bad).expect_err("no URL of a server");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
