//! By which names this server answers.
//!
//! A web page can have its own name resolve to this machine and is then, for the browser, at home here. What it
//! cannot do is send another name than its own: on loopback, where no other name leads, none is answered.
//!
//! Source: threat 17, DNS rebinding; RFC 9110 section 7.2.

use hyper::Request;
use hyper::header::{self, HeaderValue};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use url::Host;

/// A name or address by which clients may call this server, without port.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(Host);

/// The text is no name of a machine.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a name like leaf.example.org: no scheme, no port, no path")]
pub struct BadHostName;

impl TryFrom<String> for HostName {
    type Error = BadHostName;

    fn try_from(text: String) -> Result<Self, BadHostName> {
        text.parse()
    }
}

impl FromStr for HostName {
    type Err = BadHostName;

    fn from_str(text: &str) -> Result<Self, BadHostName> {
        let name = text.strip_suffix('.').unwrap_or(text);
        Host::parse(name).map(Self).map_err(|_| BadHostName)
    }
}

/// Which names are answered.
#[derive(Debug)]
pub(super) struct HostRule {
    /// Names that were given; when there is one, other names are not answered wherever this server is bound.
    allowed: Vec<HostName>,
    /// The name in the URL by which clients reach this server.
    base: Option<HostName>,
}

impl HostRule {
    pub(super) fn new(allowed: &[HostName], base_url: Option<&str>) -> Self {
        let base = base_url.and_then(|url| url::Url::parse(url).ok());
        let base = base.and_then(|url| url.host_str().and_then(|host| host.parse().ok()));
        Self {
            allowed: allowed.to_vec(),
            base,
        }
    }

    /// Whether a request is for this server, whose socket is bound to `bound`; else the refusal.
    ///
    /// A request without a name comes from no browser.
    pub(super) fn check<B>(&self, request: &Request<B>, bound: IpAddr) -> Result<(), String> {
        let in_line = request
            .uri()
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        let in_header = request.headers().get_all(header::HOST).iter();
        let hosts = in_line.into_iter().chain(in_header.map(HeaderValue::as_bytes));
        for host in hosts.filter(|host| !host.is_empty()) {
            let name = std::str::from_utf8(host).ok().and_then(without_port);
            let name = name.and_then(|name| name.parse::<HostName>().ok());
            if !name.as_ref().is_some_and(|name| self.admits(name, bound)) {
                let name = name.map_or_else(|| "NAME".to_owned(), |name| name.0.to_string());
                return Err(format!(
                    "this server does not answer to that name; if it is to: leaf serve --allow-host {name}"
                ));
            }
        }
        Ok(())
    }

    fn admits(&self, name: &HostName, bound: IpAddr) -> bool {
        let is_listed = self.allowed.contains(name) || self.base.as_ref() == Some(name);
        let address = match &name.0 {
            Host::Domain(domain) => {
                let everybody = !bound.is_loopback() && self.allowed.is_empty();
                return is_listed || everybody || domain == "localhost";
            }
            Host::Ipv4(address) => IpAddr::from(*address),
            Host::Ipv6(address) => IpAddr::from(*address),
        };
        let is_ours = address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST || address == bound;
        is_listed || is_ours || !bound.is_loopback()
    }
}

/// `HOST` of `HOST:PORT`.
fn without_port(host: &str) -> Option<&str> {
    match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => {
            port.bytes().all(|digit| digit.is_ascii_digit()).then_some(name)
        }
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn answers(allowed: &[&str], bound: IpAddr, host: &str) -> bool {
        let allowed: Vec<HostName> = allowed.iter().map(|name| name.parse().expect("a name")).collect();
        let request = Request::builder().header(header::HOST, host).body(());
        let rule = HostRule::new(&allowed, Some("https://base.example/fossil"));
        rule.check(&request.expect("a request"), bound).is_ok()
    }

    #[test]
    fn on_loopback_only_names_of_this_machine_are_answered() {
        for good in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
            "",
            "base.example",
            "BASE.example:443",
        ] {
            assert!(answers(&[], LOOPBACK, good), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "192.168.0.1",
            "127.0.0.2",
            "[::2]",
            "localhost@evil.example",
            "localhost:x",
            "a b",
            "::1",
            "localhost:80:80",
        ] {
            assert!(!answers(&[], LOOPBACK, bad), "{bad}");
        }
        let other = IpAddr::from([127, 0, 0, 2]);
        assert!(answers(&[], other, "127.0.0.2:80") && !answers(&[], other, "evil.example"));
    }

    #[test]
    fn elsewhere_a_list_shuts_out_other_names_but_no_address() {
        for host in ["any.example", "10.0.0.7:8080", "[fe80::1]", "localhost"] {
            assert!(answers(&[], EVERYWHERE, host), "{host}");
        }
        assert!(!answers(&["leaf.example"], EVERYWHERE, "any.example"));
        for host in [
            "leaf.example",
            "Leaf.Example:80",
            "10.0.0.7",
            "localhost",
            "base.example",
        ] {
            assert!(answers(&["leaf.example"], EVERYWHERE, host), "{host}");
        }
    }

    #[test]
    fn one_bad_name_of_two_is_enough() {
        let rule = HostRule::new(&[], None);
        let two = Request::builder()
            .header(header::HOST, "localhost")
            .header(header::HOST, "evil.example");
        assert!(rule.check(&two.body(()).expect("a request"), LOOPBACK).is_err());
        let in_line = Request::builder()
            .uri("http://evil.example/")
            .header(header::HOST, "localhost");
        let refusal = rule.check(&in_line.body(()).expect("a request"), LOOPBACK);
        assert!(refusal.is_err_and(|line| line.ends_with("--allow-host evil.example")));
    }
}
