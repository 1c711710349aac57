//! The brokers that are held against each other, and what a case wants of one before it starts.
//!
//! Source: `nats-server` configuration, `server/opts.go`; `ports_file_dir` in `server/server.go` `logPorts()`.

use leaf_tests::leaf::LeafServer;
use leaf_tests::scratch::Scratch;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Each test on each broker; what comes before `:` runs it.
macro_rules! on_each {
    ($run:path: $($test:ident),+ $(,)?) => {
        on_each! { @ ours Ours $run; $($test)+ }
        on_each! { @ nats_2_9 Nats2_9 $run; $($test)+ }
        on_each! { @ nats_2_15 Nats2_15 $run; $($test)+ }
    };
    ($($test:ident),+ $(,)?) => { on_each! { std::convert::identity: $($test),+ } };
    (@ $name:ident $broker:ident $run:path; $($test:ident)+) => {
        mod $name {
            $(#[test] fn $test() { $run(super::$test($crate::servers::Broker::$broker)) })+
        }
    };
}

/// Each test with each pair of brokers of which one is ours at least: the hub, then its spoke.
macro_rules! on_every_pair {
    ($($test:ident),+ $(,)?) => {
        on_every_pair! { @ ours_of_nats_2_9 Nats2_9 Ours $($test)+ }
        on_every_pair! { @ ours_of_nats_2_15 Nats2_15 Ours $($test)+ }
        on_every_pair! { @ nats_2_9_of_ours Ours Nats2_9 $($test)+ }
        on_every_pair! { @ nats_2_15_of_ours Ours Nats2_15 $($test)+ }
        on_every_pair! { @ ours_of_ours Ours Ours $($test)+ }
    };
    (@ $name:ident $hub:ident $spoke:ident $($test:ident)+) => {
        mod $name {
            use crate::servers::Broker::*;
            $(#[test] fn $test() { super::$test($hub, $spoke) })+
        }
    };
}

/// A program that plays the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Broker {
    /// The one of this project, in `leaf serve`.
    Ours,
    /// Debian's `nats-server`.
    Nats2_9,
    /// The newest that we tested against.
    Nats2_15,
}

/// Who may connect.
#[derive(Clone, Debug, Default)]
pub(crate) enum Auth {
    /// Everybody.
    #[default]
    Open,
    /// Whoever knows the token.
    Token(&'static str),
    /// Users of their own names.
    Users(Vec<User>),
}

/// How a user proves to be it.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// By name and password, which may be a bcrypt hash.
    Password(&'static str, &'static str),
    /// By a signature of the nonce; this is the public key.
    Nkey(String),
}

/// A user and what it may do.
#[derive(Clone, Debug)]
pub(crate) struct User {
    proof: Proof,
    publish: Subjects,
    subscribe: Subjects,
    responses: Option<Responses>,
}

/// What a user may answer to each request that reached it.
#[derive(Clone, Copy, Debug)]
enum Responses {
    /// As much as is usual: once, within two minutes.
    Usual,
    /// So many times, within so long a time.
    Of(u32, Duration),
}

/// Subjects that are allowed and denied; without any that are allowed all are.
#[derive(Clone, Debug, Default)]
struct Subjects {
    allow: Vec<&'static str>,
    deny: Vec<&'static str>,
}

impl User {
    /// A user with a password who may do everything.
    pub(crate) fn new(name: &'static str, password: &'static str) -> Self {
        Self::by(Proof::Password(name, password))
    }

    /// A user with a key who may do everything.
    pub(crate) fn with_nkey(public: String) -> Self {
        Self::by(Proof::Nkey(public))
    }

    fn by(proof: Proof) -> Self {
        Self {
            proof,
            publish: Subjects::default(),
            subscribe: Subjects::default(),
            responses: None,
        }
    }

    /// May publish to these alone.
    pub(crate) fn publishes(mut self, subjects: &[&'static str]) -> Self {
        self.publish.allow.extend(subjects);
        self
    }

    /// May not publish to these.
    pub(crate) fn never_publishes(mut self, subjects: &[&'static str]) -> Self {
        self.publish.deny.extend(subjects);
        self
    }

    /// May subscribe to these alone.
    pub(crate) fn subscribes(mut self, subjects: &[&'static str]) -> Self {
        self.subscribe.allow.extend(subjects);
        self
    }

    /// May not subscribe to these.
    pub(crate) fn never_subscribes(mut self, subjects: &[&'static str]) -> Self {
        self.subscribe.deny.extend(subjects);
        self
    }

    /// May answer requests that reached it, as usual, and else publish to what is allowed by name alone.
    pub(crate) fn responds(mut self) -> Self {
        self.responses = Some(Responses::Usual);
        self
    }

    /// May answer requests that reached it, so many times each, within so long a time.
    pub(crate) fn responds_times(mut self, times: u32, within: Duration) -> Self {
        self.responses = Some(Responses::Of(times, within));
        self
    }

    /// As `leaf serve` wants it written.
    fn toml(&self) -> String {
        let mut toml = "\n[[nats.user]]\n".to_owned();
        match &self.proof {
            Proof::Password(name, password) => {
                toml.push_str(&format!("name = {name:?}\npassword = {password:?}\n"));
            }
            Proof::Nkey(public) => toml.push_str(&format!("nkey = {public:?}\n")),
        }
        for (verb, subjects) in [("publish", &self.publish), ("subscribe", &self.subscribe)] {
            for (name, list) in [("allow", &subjects.allow), ("deny", &subjects.deny)] {
                if !list.is_empty() {
                    toml.push_str(&format!("{verb}.{name} = {list:?}\n"));
                }
            }
        }
        match self.responses {
            None => {}
            Some(Responses::Usual) => toml.push_str("responses = true\n"),
            Some(Responses::Of(times, within)) => {
                let within = within.as_millis();
                toml.push_str(&format!("responses = {{ count = {times}, age-ms = {within} }}\n"));
            }
        }
        toml
    }

    /// As `nats-server` wants it written.
    fn conf(&self) -> String {
        let mut conf = match &self.proof {
            Proof::Password(name, password) => format!("user: \"{name}\", password: \"{password}\""),
            Proof::Nkey(public) => format!("nkey: {public}"),
        };
        let mut permissions = String::new();
        for (verb, subjects) in [("publish", &self.publish), ("subscribe", &self.subscribe)] {
            let mut lists = String::new();
            for (name, list) in [("allow", &subjects.allow), ("deny", &subjects.deny)] {
                if !list.is_empty() {
                    lists.push_str(&format!("{name}: {list:?}, "));
                }
            }
            if !lists.is_empty() {
                permissions.push_str(&format!("{verb}: {{ {lists}}}, "));
            }
        }
        match self.responses {
            None => {}
            Some(Responses::Usual) => permissions.push_str("allow_responses: true "),
            Some(Responses::Of(times, within)) => {
                let within = within.as_millis();
                permissions.push_str(&format!(
                    "allow_responses: {{ max: {times}, expires: \"{within}ms\" }} "
                ));
            }
        }
        if !permissions.is_empty() {
            conf.push_str(&format!(", permissions: {{ {permissions}}}"));
        }
        format!("    {{ {conf} }}\n")
    }
}

/// What a case wants of a broker. What it does not say is as the broker has it by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    auth: Auth,
    auth_timeout: Option<f32>,
    max_payload: Option<u32>,
    max_control_line: Option<u32>,
    max_subscriptions: Option<u32>,
    max_pending: Option<u32>,
    max_connections: Option<u32>,
    write_deadline: Option<Duration>,
    ping_interval: Option<Duration>,
    pings_out_max: Option<u32>,
    origins: Origins,
    name: Option<&'static str>,
    client_port: Option<u16>,
    leafnode_port: Option<u16>,
    hubs: Vec<String>,
    peers: Vec<String>,
    certificate: Option<Certificate>,
    authority: Option<String>,
}

/// A certificate for this machine, which is its own authority.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// Its file.
    pub(crate) cert: String,
    /// The file of its private key.
    pub(crate) key: String,
}

impl Certificate {
    /// A new one, in files of this name.
    pub(crate) fn new(scratch: &Scratch, name: &str) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let (cert, key) = (
            scratch.path(&format!("{name}.pem")),
            scratch.path(&format!("{name}.key")),
        );
        std::fs::write(&cert, made.cert.pem()).expect("a file");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        let plain = |file: PathBuf| file.to_str().expect("a plain path").to_owned();
        Self {
            cert: plain(cert),
            key: plain(key),
        }
    }
}

/// Which pages may connect by WebSocket.
#[derive(Clone, Debug, Default)]
pub(crate) enum Origins {
    /// Those of any site.
    #[default]
    Any,
    /// Those that came from the very address of the broker.
    Same,
    /// Those of these sites.
    Of(&'static [&'static str]),
}

impl Setup {
    /// Everybody may connect and do everything.
    pub(crate) fn open() -> Self {
        Self::default()
    }

    /// Whoever knows `token` may do everything.
    pub(crate) fn token(token: &'static str) -> Self {
        Self {
            auth: Auth::Token(token),
            ..Self::default()
        }
    }

    /// These users alone.
    pub(crate) fn users(users: impl Into<Vec<User>>) -> Self {
        Self {
            auth: Auth::Users(users.into()),
            ..Self::default()
        }
    }

    /// Who does not sign in within so many seconds is cut off.
    pub(crate) fn auth_timeout(mut self, seconds: f32) -> Self {
        self.auth_timeout = Some(seconds);
        self
    }

    /// Header and body of a message together.
    pub(crate) fn max_payload(mut self, bytes: u32) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// What follows the verb in a line.
    pub(crate) fn max_control_line(mut self, bytes: u32) -> Self {
        self.max_control_line = Some(bytes);
        self
    }

    /// Of one connection.
    pub(crate) fn max_subscriptions(mut self, count: u32) -> Self {
        self.max_subscriptions = Some(count);
        self
    }

    /// What waits to be sent to one connection.
    pub(crate) fn max_pending(mut self, bytes: u32) -> Self {
        self.max_pending = Some(bytes);
        self
    }

    /// How long a consumer may take nothing of what is sent to it.
    pub(crate) fn write_deadline(mut self, duration: Duration) -> Self {
        self.write_deadline = Some(duration);
        self
    }

    /// Connections at the same time.
    pub(crate) fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = Some(count);
        self
    }

    /// A PING to who is silent so long, and how many of them may go unanswered.
    pub(crate) fn pings(mut self, interval: Duration, out_max: u32) -> Self {
        self.ping_interval = Some(interval);
        self.pings_out_max = Some(out_max);
        self
    }

    /// Whether PING of the broker is what the case is about.
    pub(crate) fn is_about_pings(&self) -> bool {
        self.ping_interval.is_some()
    }

    /// Which pages may connect by WebSocket.
    pub(crate) fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// What it calls itself: those that are linked have to differ.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Where clients connect: at any free port unless this says otherwise.
    pub(crate) fn clients_at(mut self, port: u16) -> Self {
        self.client_port = Some(port);
        self
    }

    /// Leaf nodes may join, at any free port.
    pub(crate) fn takes_leafnodes(self) -> Self {
        self.leafnodes_at(0)
    }

    /// Leaf nodes may join, at this port.
    pub(crate) fn leafnodes_at(mut self, port: u16) -> Self {
        self.leafnode_port = Some(port);
        self
    }

    /// Joins a hub as a leaf node; `place` is `[USER:PASSWORD@]HOST:PORT`.
    pub(crate) fn joins(mut self, place: &str) -> Self {
        self.hubs.push(format!("nats-leaf://{place}"));
        self
    }

    /// Links another leaf; `place` is `[USER:PASSWORD@]HOST:PORT` of its clients. Only ours has such links.
    pub(crate) fn links(mut self, place: &str) -> Self {
        self.peers.push(format!("nats://{place}"));
        self
    }

    /// Links another leaf, by TLS alone.
    pub(crate) fn links_encrypted(mut self, place: &str) -> Self {
        self.peers.push(format!("tls://{place}"));
        self
    }

    /// Clients and leaf nodes have to speak TLS.
    pub(crate) fn encrypted(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Whose certificate a broker that it joins has to have.
    pub(crate) fn trusts(mut self, certificate: &Certificate) -> Self {
        self.authority = Some(certificate.cert.clone());
        self
    }

    /// TLS of what comes in, as `nats-server` wants it written.
    fn tls_conf(&self) -> String {
        self.certificate
            .as_ref()
            .map(|Certificate { cert, key }| {
                format!("tls {{ cert_file: {cert:?}, key_file: {key:?}, timeout: 10 }}\n")
            })
            .unwrap_or_default()
    }

    fn name(&self) -> &'static str {
        self.name.unwrap_or("under-test")
    }

    /// As arguments of `leaf serve`, beyond its settings.
    fn args(&self) -> Vec<String> {
        let mut args = Vec::new();
        match self.origins {
            Origins::Any => args.push("--allow-origin=*".to_owned()),
            Origins::Same => {}
            Origins::Of(sites) => args.extend(sites.iter().map(|site| format!("--allow-origin={site}"))),
        }
        args.push(format!("--nats=127.0.0.1:{}", self.client_port.unwrap_or(0)));
        let leafnodes = self.leafnode_port;
        args.extend(leafnodes.map(|port| format!("--nats-leafnodes=127.0.0.1:{port}")));
        args.extend(self.hubs.iter().map(|url| format!("--leafnode={url}")));
        args.extend(self.peers.iter().map(|url| format!("--peer={url}")));
        args
    }

    /// Links, as `nats-server` wants them written.
    fn links_conf(&self) -> String {
        assert!(self.peers.is_empty(), "nats-server has no such links");
        let mut conf = String::new();
        // Its own port is -1 where the system chooses.
        let listen = self.leafnode_port.map(|port| match port {
            0 => "-1".to_owned(),
            port => port.to_string(),
        });
        if let Some(port) = listen {
            writeln!(conf, "    host: \"127.0.0.1\"\n    port: {port}").expect("memory");
            conf.push_str(&self.tls_conf());
        }
        if !self.hubs.is_empty() {
            let tls = self.authority.as_ref();
            let tls = tls.map(|file| format!(", tls: {{ ca_file: {file:?} }}"));
            let tls = tls.unwrap_or_default();
            let remotes: String = self
                .hubs
                .iter()
                .map(|url| format!("{{ url: {url:?}{tls} }} "))
                .collect();
            writeln!(conf, "    remotes: [ {remotes}]").expect("memory");
        }
        match conf.is_empty() {
            true => conf,
            false => format!("leafnodes {{\n{conf}}}\n"),
        }
    }

    /// As settings of `leaf serve`.
    fn toml(&self) -> String {
        let mut toml = format!("[nats]\nname = {:?}\n", self.name());
        if let Auth::Token(token) = self.auth {
            writeln!(toml, "token = {token:?}").expect("memory");
        }
        if let Some(Certificate { cert, key }) = &self.certificate {
            writeln!(toml, "tls-cert = {cert:?}\ntls-key = {key:?}").expect("memory");
        }
        if let Some(file) = &self.authority {
            writeln!(toml, "ca-cert = {file:?}").expect("memory");
        }
        let in_ms = |duration: Option<Duration>| duration.map(|duration| duration.as_millis());
        let numbers = [
            ("payload-bytes", self.max_payload.map(u128::from)),
            ("line-bytes", self.max_control_line.map(u128::from)),
            ("subscriptions", self.max_subscriptions.map(u128::from)),
            ("pending-bytes", self.max_pending.map(u128::from)),
            ("connections", self.max_connections.map(u128::from)),
            ("pings-out", self.pings_out_max.map(u128::from)),
            ("ping-interval-ms", in_ms(self.ping_interval)),
            ("write-ms", in_ms(self.write_deadline)),
            (
                "connect-ms",
                in_ms(Some(Duration::from_secs_f32(self.auth_timeout.unwrap_or(10.0)))),
            ),
        ];
        toml.push_str("\n[nats.limits]\n");
        for (name, number) in numbers {
            if let Some(number) = number {
                writeln!(toml, "{name} = {number}").expect("memory");
            }
        }
        if let Auth::Users(users) = &self.auth {
            toml.extend(users.iter().map(User::toml));
        }
        toml
    }

    /// As a configuration of `nats-server`.
    fn conf(&self, ports_folder: &Path) -> String {
        let mut conf = format!(
            "server_name: {:?}\nhost: \"127.0.0.1\"\nport: {}\nports_file_dir: \"{}\"\n",
            self.name(),
            self.client_port.map_or(-1, i32::from),
            ports_folder.display()
        );
        conf.push_str(&self.tls_conf());
        conf.push_str(&self.links_conf());
        let numbers = [
            ("max_payload", self.max_payload),
            ("max_control_line", self.max_control_line),
            ("max_subscriptions", self.max_subscriptions),
            ("max_pending", self.max_pending),
            ("max_connections", self.max_connections),
            ("ping_max", self.pings_out_max),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                writeln!(conf, "{name}: {number}").expect("memory");
            }
        }
        let durations = [
            ("ping_interval", self.ping_interval),
            ("write_deadline", self.write_deadline),
        ];
        for (name, duration) in durations {
            if let Some(duration) = duration {
                writeln!(conf, "{name}: \"{}ms\"", duration.as_millis()).expect("memory");
            }
        }
        let origins = match self.origins {
            Origins::Any => String::new(),
            Origins::Same => "same_origin: true".to_owned(),
            Origins::Of(sites) => format!("allowed_origins: {sites:?}"),
        };
        conf.push_str("websocket {\n    host: \"127.0.0.1\"\n    port: -1\n    no_tls: true\n");
        writeln!(conf, "    {origins}\n}}").expect("memory");
        let who = match &self.auth {
            Auth::Open => return conf,
            Auth::Token(token) => format!("    token: \"{token}\"\n"),
            Auth::Users(users) => {
                let users: String = users.iter().map(User::conf).collect();
                format!("    users: [\n{users}    ]\n")
            }
        };
        let timeout = self.auth_timeout.unwrap_or(10.0);
        writeln!(conf, "authorization {{\n    timeout: {timeout:.2}\n{who}}}").expect("memory");
        conf
    }
}

/// A broker that listens; gone when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    // Ends when dropped, before the folder that it writes to.
    program: Program,
    scratch: Scratch,
    /// `127.0.0.1:PORT` of clients.
    pub(crate) address: String,
    /// Where clients connect by WebSocket.
    pub(crate) websocket: Place,
    /// `127.0.0.1:PORT` of leaf nodes, if it takes any.
    pub(crate) leafnodes: Option<String>,
}

/// An address and a path there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Where clients ask for the upgrade.
    pub(crate) path: &'static str,
}

#[derive(Debug)]
enum Program {
    Ours(LeafServer),
    Real(Child),
}

impl Running {
    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        match &self.program {
            Program::Ours(server) => server.pid(),
            Program::Real(child) => child.id(),
        }
    }

    /// What the broker wrote so far.
    pub(crate) fn log(&self) -> String {
        let name = match self.program {
            Program::Ours(_) => "serve.log",
            Program::Real(_) => "log",
        };
        std::fs::read_to_string(self.scratch.path(name)).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Self::Real(child) = self {
            // It may be gone already; either way nothing is left of it after `wait`.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Broker {
    /// Starts it as `setup` says and returns once it listens.
    pub(crate) fn start(self, setup: &Setup) -> Running {
        match self {
            Self::Ours => ours(setup),
            Self::Nats2_9 => real(debian(), setup),
            Self::Nats2_15 => real(fetched(), setup),
        }
    }
}

/// `nats-server` of Debian 12: another release would be another column of the table.
fn debian() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = PathBuf::from("/usr/sbin/nats-server");
        assert!(program.exists(), "{} is missing: make setup", program.display());
        of_version(program, "v2.9.")
    })
}

/// `nats-server` 2.15.1, fetched if it is not there.
fn fetched() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("nats-server.sh");
        let said = Command::new(script).output().expect("bash runs");
        let (path, trouble) = (
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr),
        );
        assert!(said.status.success(), "{trouble}");
        of_version(PathBuf::from(path.trim()), "v2.15.1")
    })
}

fn of_version(program: PathBuf, wanted: &str) -> PathBuf {
    let said = Command::new(&program).arg("--version").output();
    let said = said.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let version = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(version.contains(wanted), "{} is {version}", program.display());
    program
}

fn ours(setup: &Setup) -> Running {
    let scratch = Scratch::new();
    let conf = scratch.path("broker.toml");
    std::fs::write(&conf, setup.toml()).expect("a file");
    std::fs::create_dir(scratch.path("repositories")).expect("a new folder");
    let args = setup.args();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    args.extend(["--config", conf.to_str().expect("plain")]);
    let server = LeafServer::start_with(&scratch, &scratch.path("repositories"), &args);
    Running {
        address: server.nats().first().expect("it listens").clone(),
        websocket: Place {
            address: server.address(),
            path: "/nats",
        },
        leafnodes: server.nats_leafnodes().first().cloned(),
        program: Program::Ours(server),
        scratch,
    }
}

fn real(program: &Path, setup: &Setup) -> Running {
    let scratch = Scratch::new();
    let conf = scratch.path("broker.conf");
    std::fs::write(&conf, setup.conf(scratch.root())).expect("a file");
    let log = std::fs::File::create(scratch.path("log")).expect("a file");
    let mut command = scratch.command(program);
    command.arg("-c").arg(&conf).stdout(Stdio::null()).stderr(log);
    // Two of many on the same processors: more threads would only get into each other's way.
    command.env("GOMAXPROCS", "2");
    let mut child = command.spawn().expect("nats-server runs");
    let ports_file = scratch.path(&format!("nats-server_{}.ports", child.id()));
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let ports = std::fs::read_to_string(&ports_file).unwrap_or_default();
        let log = std::fs::read_to_string(scratch.path("log")).unwrap_or_default();
        let leafnodes = leafnode_address(&log);
        if let Some((address, websocket)) = addresses(&ports)
            && leafnodes.is_some() == setup.leafnode_port.is_some()
        {
            return Running {
                leafnodes,
                program: Program::Real(child),
                scratch,
                address,
                websocket: Place {
                    address: websocket,
                    path: "/",
                },
            };
        }
        let ended = child.try_wait().expect("our own child");
        if ended.is_some() || Instant::now() > patience {
            drop(child.kill());
            drop(child.wait());
            panic!("nats-server is not ready ({ended:?}):\n{log}");
        }
        sleep(Duration::from_millis(5));
    }
}

/// Of clients and of WebSocket, once the file is written in full.
fn addresses(ports: &str) -> Option<(String, String)> {
    let ports: serde_json::Value = serde_json::from_str(ports).ok()?;
    let address = |name: &str| {
        let (_, address) = ports[name][0].as_str()?.split_once("://")?;
        Some(address.to_owned())
    };
    Some((address("nats")?, address("websocket")?))
}

/// Of leaf nodes, which no file of ports tells.
fn leafnode_address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Listening for leafnode connections on ")?;
    let (address, _) = rest.split_once('\n')?;
    Some(address.trim().to_owned())
}
