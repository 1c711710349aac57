//! One round as one HTTP POST.
//!
//! Each request has a connection of its own and says `Connection: close`: stock servers close it anyway, and a
//! clone has so few rounds that keeping one open gains nothing. Redirections are followed here and not by the
//! HTTP library, because the POST and its body must be sent again, whatever the status.
//!
//! Source: Fossil `src/http.c` `http_exchange()`.

use super::{BadUrl, RemoteUrl, Secret};
use leaf_core::xfer::ContentType;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// Redirections that one session follows, as many as stock Fossil does.
const HOPS_MAX: u32 = 20;
/// Bytes of an error page that are read to quote from it.
const ERROR_PAGE_BYTES: u64 = 8 << 10;
/// Bytes that are set aside because the server announces them.
const BODY_RESERVED_MAX: usize = 8 << 20;
/// Characters that are quoted of it.
const QUOTE_CHARS: usize = 160;
/// What this program calls itself.
const USER_AGENT: &str = concat!("leaf/", env!("CARGO_PKG_VERSION"));

/// How to call servers.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// A silence after which the server counts as hung. Also the time in which it must accept the connection.
    pub silence_max: Duration,
    /// Bytes of one reply, still packed.
    pub reply_bytes_max: u64,
    /// Certificates to trust besides those of the system, PEM.
    pub ca_cert: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            silence_max: Duration::from_mins(1),
            reply_bytes_max: 1 << 30,
            ca_cert: None,
        }
    }
}

/// Why a round was not carried.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The file of certificates is not usable.
    #[error("no certificates can be read from {}", .file.display())]
    BadCaCert {
        /// Which file.
        file: PathBuf,
    },
    /// The server sends elsewhere, to a place that is none.
    #[error("the server redirects to a bad URL")]
    BadRedirect(#[source] BadUrl),
    /// No connection.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where.
        url: RemoteUrl,
        /// What the system says.
        source: Box<ureq::Error>,
    },
    /// The connection ended in the middle of a reply.
    #[error("the connection was cut after {received} of {announced} bytes of the reply")]
    Cut {
        /// Bytes that came.
        received: u64,
        /// Bytes that were to come.
        announced: u64,
    },
    /// The server sends from an encrypted to an open place.
    #[error("the server redirects from https to http, which is refused")]
    Downgrade,
    /// The server accepted the connection and then said nothing.
    #[error("the server hangs: nothing came for {} seconds", .silence_max.as_secs_f32())]
    Hang {
        /// How long was waited.
        silence_max: Duration,
    },
    /// The exchange failed half-way.
    #[error("the exchange with the server failed")]
    Lost(#[source] Box<ureq::Error>),
    /// The answer is not Fossil's.
    #[error("the server does not speak the Fossil sync protocol: it answers with {content_type}{quote}")]
    NotFossil {
        /// What it calls its answer.
        content_type: String,
        /// The beginning of it.
        quote: String,
    },
    /// It wants a login for HTTP itself and none was given, or it was refused.
    #[error("the server asks for an HTTP login (status 401)")]
    PasswordWanted,
    /// Any other status than success.
    #[error("the server answers with status {status}{quote}")]
    Status {
        /// Which.
        status: u16,
        /// What it says.
        quote: String,
    },
    /// The reply is larger than allowed.
    #[error("the reply is larger than {max} bytes")]
    TooLarge {
        /// The bound.
        max: u64,
    },
    /// Round and round.
    #[error("the server redirects more than {HOPS_MAX} times")]
    TooManyRedirects,
}

impl HttpError {
    /// Whether the caller, not the server, has to act.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::BadCaCert { .. })
    }

    /// Whether the same request may well succeed when sent again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Cut { .. } | Self::Lost(_))
    }

    /// What the user may try.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::BadCaCert { .. } => "give --ca-cert a PEM file",
            Self::Connect { .. } => "check host and port, and that the server runs",
            Self::Cut { .. } | Self::Lost(_) => "run the same command again: what has arrived is kept",
            Self::Hang { .. } => "try again later, or wait longer with --timeout SECONDS",
            Self::NotFossil { .. } | Self::Status { .. } => "check the path in the URL",
            Self::PasswordWanted => "give a login: http://USER@HOST/ and $LEAF_PASSWORD",
            Self::TooLarge { .. } => "ask the server's owner to lower `max-download`",
            Self::BadRedirect(_) | Self::Downgrade | Self::TooManyRedirects => {
                "use the final URL of the server"
            }
        }
    }
}

/// What a round takes to the server.
#[derive(Clone, Copy, Debug)]
pub struct RoundRequest<'a> {
    /// The message, packed.
    pub body: &'a [u8],
    /// How it is packed.
    pub content_type: ContentType,
    /// Value of the cookie `x-f-l-c`, when the login travels there.
    pub cookie: Option<&'a str>,
}

/// What a round brings back.
#[derive(Debug)]
pub struct HttpReply {
    /// The message, packed.
    pub body: Vec<u8>,
    /// How it is packed.
    pub content_type: ContentType,
}

/// A server that is called by HTTP.
#[derive(Debug)]
pub struct HttpRemote {
    agent: Agent,
    options: HttpOptions,
    url: RemoteUrl,
    /// The server says to call it by [`Self::url`] from now on.
    moved: bool,
    login: Option<(String, Secret)>,
    /// The server asked for HTTP's own login at this origin.
    basic_at: Option<RemoteUrl>,
}

impl HttpRemote {
    /// A server at `url`; `login` is for servers that ask for HTTP's own login.
    ///
    /// # Errors
    ///
    /// [`HttpError::BadCaCert`].
    pub fn new(
        url: RemoteUrl,
        login: Option<(String, Secret)>,
        options: HttpOptions,
    ) -> Result<Self, HttpError> {
        let mut config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .accept("")
            .accept_encoding("")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .input_buffer_size(256 << 10)
            .timeout_connect(Some(options.silence_max))
            .timeout_resolve(Some(options.silence_max))
            .timeout_per_read(Some(options.silence_max))
            .timeout_per_write(Some(options.silence_max));
        if url.is_loopback() {
            config = config.proxy(None);
        }
        let roots = root_certificates(&url, &options)?;
        let tls = TlsConfig::builder().root_certs(roots).build();
        let agent = config.tls_config(tls).build().new_agent();
        Ok(Self {
            agent,
            options,
            url,
            moved: false,
            login,
            basic_at: None,
        })
    }

    /// Where the server is now, and whether it said to remember that.
    pub fn moved_to(&self) -> Option<&RemoteUrl> {
        self.moved.then_some(&self.url)
    }

    /// Carries one round. `progress` hears how many bytes of the reply have come, and how many are announced.
    ///
    /// # Errors
    ///
    /// [`HttpError`].
    pub fn round_trip(
        &mut self,
        request: RoundRequest<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<HttpReply, HttpError> {
        for _ in 0..=HOPS_MAX {
            let response = self.post(request)?;
            match response.status() {
                StatusCode::UNAUTHORIZED => self.note_basic()?,
                status if matches!(status.as_u16(), 301 | 302 | 307 | 308) => self.follow(&response)?,
                _ => return self.read_reply(response, progress),
            }
        }
        Err(HttpError::TooManyRedirects)
    }

    fn post(&self, request: RoundRequest<'_>) -> Result<Response<Body>, HttpError> {
        let mut post = self
            .agent
            .post(self.url.target())
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, request.content_type.as_str());
        if let Some(cookie) = request.cookie {
            post = post.header(header::COOKIE, format!("x-f-l-c={cookie}"));
        }
        let basic = self.basic_at.as_ref().is_some_and(|at| at.same_origin(&self.url));
        if let Some((user, secret)) = self.login.as_ref().filter(|_| basic) {
            let token = base64(format!("{user}:{}", secret.reveal()).as_bytes());
            post = post.header(header::AUTHORIZATION, format!("Basic {token}"));
        }
        post.send(request.body).map_err(|error| self.failed(error))
    }

    /// Sorts what the HTTP library complains about.
    fn failed(&self, error: ureq::Error) -> HttpError {
        use ureq::{Error, Timeout};
        match error {
            Error::Timeout(Timeout::Resolve | Timeout::Connect)
            | Error::HostNotFound
            | Error::ConnectionFailed
            | Error::Tls(_)
            | Error::Rustls(_) => HttpError::Connect {
                url: self.url.clone(),
                source: Box::new(error),
            },
            Error::Timeout(_) => HttpError::Hang {
                silence_max: self.options.silence_max,
            },
            Error::Io(source) if is_connect(&source) => HttpError::Connect {
                url: self.url.clone(),
                source: Box::new(Error::Io(source)),
            },
            Error::Io(source) if is_timeout(&source) => HttpError::Hang {
                silence_max: self.options.silence_max,
            },
            other => HttpError::Lost(Box::new(other)),
        }
    }

    /// The server wants HTTP's own login: gives it from now on, if there is one that was not refused.
    fn note_basic(&mut self) -> Result<(), HttpError> {
        if self.login.is_none() || self.basic_at.is_some() {
            return Err(HttpError::PasswordWanted);
        }
        self.basic_at = Some(self.url.clone());
        Ok(())
    }

    fn follow(&mut self, response: &Response<Body>) -> Result<(), HttpError> {
        let location = response
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let location = location.ok_or(HttpError::BadRedirect(BadUrl::Malformed))?;
        let next = self.url.join(location).map_err(HttpError::BadRedirect)?;
        if self.url.is_https() && !next.is_https() {
            return Err(HttpError::Downgrade);
        }
        self.moved |= matches!(response.status().as_u16(), 301 | 308);
        self.url = next;
        Ok(())
    }

    fn read_reply(
        &self,
        mut response: Response<Body>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<HttpReply, HttpError> {
        let status = response.status();
        let name = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let name = name.unwrap_or("no content type").to_owned();
        if !status.is_success() {
            return Err(HttpError::Status {
                status: status.as_u16(),
                quote: quote(&mut response),
            });
        }
        let Some(content_type) = ContentType::parse(&name) else {
            let content_type = name.chars().filter(|c| !c.is_control()).take(60).collect();
            return Err(HttpError::NotFossil {
                content_type,
                quote: quote(&mut response),
            });
        };
        let announced = response
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        let announced: Option<u64> = announced.and_then(|value| value.parse().ok());
        let body = self.read_body(&mut response, announced, progress)?;
        Ok(HttpReply { body, content_type })
    }

    fn read_body(
        &self,
        response: &mut Response<Body>,
        announced: Option<u64>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Vec<u8>, HttpError> {
        let max = self.options.reply_bytes_max;
        if announced.is_some_and(|bytes| bytes > max) {
            return Err(HttpError::TooLarge { max });
        }
        let expected = usize::try_from(announced.unwrap_or(0)).unwrap_or(0);
        let mut body = Vec::with_capacity(expected.min(BODY_RESERVED_MAX));
        let mut reader = response.body_mut().as_reader();
        let mut piece = vec![0; 256 << 10];
        loop {
            let received = body.len() as u64;
            match reader.read(&mut piece) {
                Ok(0) => match announced {
                    Some(announced) if received < announced => {
                        return Err(HttpError::Cut { received, announced });
                    }
                    _ => return Ok(body),
                },
                Ok(bytes) if received + bytes as u64 > max => return Err(HttpError::TooLarge { max }),
                Ok(bytes) => body.extend_from_slice(piece.get(..bytes).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.cut(error, received, announced)),
            }
            progress(body.len() as u64, announced);
        }
    }

    fn cut(&self, error: io::Error, received: u64, announced: Option<u64>) -> HttpError {
        let error = ureq::Error::from(error);
        match (self.failed(error), announced) {
            (HttpError::Lost(_) | HttpError::Connect { .. }, Some(announced)) => {
                HttpError::Cut { received, announced }
            }
            (other, _) => other,
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn is_connect(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied,
    };
    matches!(
        error.kind(),
        AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable | PermissionDenied
    )
}

/// Whom to trust: the system's authorities and the caller's, or Mozilla's list where the system has none.
fn root_certificates(url: &RemoteUrl, options: &HttpOptions) -> Result<RootCerts, HttpError> {
    if !url.is_https() && options.ca_cert.is_none() {
        // A redirection may still lead to https; Mozilla's list costs nothing to load.
        return Ok(RootCerts::WebPki);
    }
    let system = rustls_native_certs::load_native_certs().certs;
    let mut trusted: Vec<_> = system
        .iter()
        .map(|cert| Certificate::from_der(cert.as_ref()).to_owned())
        .collect();
    if let Some(file) = &options.ca_cert {
        let bad = || HttpError::BadCaCert { file: file.clone() };
        let pem = std::fs::read(file).map_err(|_| bad())?;
        let before = trusted.len();
        for item in ureq::tls::parse_pem(&pem) {
            if let PemItem::Certificate(cert) = item.map_err(|_| bad())? {
                trusted.push(cert);
            }
        }
        if trusted.len() == before {
            return Err(bad());
        }
    }
    Ok(if trusted.is_empty() {
        RootCerts::WebPki
    } else {
        RootCerts::from(trusted)
    })
}

/// The beginning of an error page, without markup, to be put behind a message.
fn quote(response: &mut Response<Body>) -> String {
    let mut page = Vec::new();
    // What cannot be read cannot be quoted; the status says enough.
    response
        .body_mut()
        .as_reader()
        .take(ERROR_PAGE_BYTES)
        .read_to_end(&mut page)
        .ok();
    let text = strip_markup(&String::from_utf8_lossy(&page));
    if text.is_empty() {
        text
    } else {
        format!(": {text}")
    }
}

fn strip_markup(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            c => text.push(if c.is_control() { ' ' } else { c }),
        }
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(QUOTE_CHARS) {
        Some((end, _)) => format!("{}...", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

/// Base64 with padding, for the one header that needs it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = char::from(DIGITS[group >> (18 - 6 * place) & 63]);
            // A String takes whatever is written to it.
            write!(text, "{}", if place > chunk.len() { '=' } else { digit }).ok();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn markup_is_left_out_of_quotes() {
        assert_eq!(strip_markup("<html><b>Not\n Found</b></html>"), "Not Found");
        assert_eq!(strip_markup(&"x".repeat(500)).chars().count(), QUOTE_CHARS + 3);
    }
}
