//! `INFO` and `CONNECT`: what the two sides of a connection tell each other first, in JSON.
//!
//! A key that is absent from a `CONNECT` is not `false`: `verbose`, `pedantic` and `echo` hold until a client
//! says otherwise.
//!
//! Source: NATS client protocol (docs.nats.io, reference/nats-protocol); the leaf node's keys as nats-server
//! 2.9.10 and 2.15.1 send them.

use crate::json::Writer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a server says of itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own keys")]
pub struct Info {
    /// Unique for each start of a server.
    pub server_id: String,
    /// What its owner calls it.
    pub server_name: String,
    /// Of the server program.
    pub version: String,
    /// Clients print it.
    pub go: String,
    /// Where it listens.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// Whether messages may have headers.
    pub headers: bool,
    /// Whether a `CONNECT` has to bring credentials.
    #[serde(skip_serializing_if = "is_false")]
    pub auth_required: bool,
    /// Whether TLS has to begin now.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// Bytes of header and body together.
    pub max_payload: usize,
    /// 1: this server may send further `INFO`s.
    pub proto: u32,
    /// The connection's number there.
    pub client_id: u64,
    /// Where the server sees the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    /// What an nkey has to sign.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
    /// Lame duck: about to stop, connect elsewhere.
    #[serde(skip_serializing_if = "is_false")]
    pub ldm: bool,
    /// Other addresses of the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_urls: Vec<String>,
    /// Other addresses of leaf nodes. Only on a leaf node's connection, where it is never left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leafnode_urls: Option<Vec<String>>,
    /// This `INFO` ends the handshake of a leaf node.
    #[serde(skip_serializing_if = "is_false")]
    pub connect_info: bool,
    /// A second `INFO` is going to end the handshake of a leaf node.
    #[serde(skip_serializing_if = "is_false")]
    pub info_on_connect: bool,
    /// The account there that a leaf node is bound to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_account: String,
    /// The mesh that this server takes part in; only between leaves.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub leaf_mesh: String,
    /// What a leaf node may publish there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<Rights>,
    /// What a leaf node may ask for there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<Rights>,
}

/// What a client, or another broker, says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own keys")]
pub struct Connect {
    /// Wants `+OK` after each operation.
    pub verbose: bool,
    /// Wants its subjects checked.
    pub pedantic: bool,
    /// Gets its own messages where it asked for them.
    pub echo: bool,
    /// Of the person or program.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of the library; a leaf node says none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// Of the library.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// 1: understands further `INFO`s.
    pub protocol: i64,
    /// Can read headers.
    pub headers: bool,
    /// Wants to be told when nobody hears a request.
    pub no_responders: bool,
    /// Asked for TLS.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// The account to bind; a server without accounts of that kind refuses any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// Credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// The public key whose signature `sig` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<String>,
    /// The server's nonce, signed; base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    /// A user's claims, signed by an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
    /// A leaf node's own id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_id: String,
    /// A leaf node's cluster; unique, or its messages are taken for the receiver's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The account that a leaf node binds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_account: String,
    /// The dialling side is the hub.
    #[serde(skip_serializing_if = "is_false")]
    pub is_hub: bool,
    /// The mesh that the dialling broker takes part in; only between leaves.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub leaf_mesh: String,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            verbose: true,
            pedantic: true,
            echo: true,
            name: String::new(),
            lang: String::new(),
            version: String::new(),
            protocol: 0,
            headers: false,
            no_responders: false,
            tls_required: false,
            account: String::new(),
            user: None,
            pass: None,
            auth_token: None,
            nkey: None,
            sig: None,
            jwt: None,
            server_id: String::new(),
            cluster: String::new(),
            remote_account: String::new(),
            is_hub: false,
            leaf_mesh: String::new(),
        }
    }
}

impl Connect {
    /// Whether a broker says this, to be linked with this one.
    pub fn is_link(&self) -> bool {
        !self.leaf_mesh.is_empty() || !self.server_id.is_empty()
    }

    /// What a client says of itself, as JSON.
    pub fn write_client(&self) -> Vec<u8> {
        let mut json = Writer::default();
        for (name, value) in [
            ("verbose", self.verbose),
            ("pedantic", self.pedantic),
            ("echo", self.echo),
            ("headers", self.headers),
            ("no_responders", self.no_responders),
            ("tls_required", self.tls_required),
        ] {
            json.bool(name, value);
        }
        json.number("protocol", self.protocol);
        for (name, value) in [
            ("name", Some(&self.name)),
            ("lang", Some(&self.lang)),
            ("version", Some(&self.version)),
            ("user", self.user.as_ref()),
            ("pass", self.pass.as_ref()),
            ("auth_token", self.auth_token.as_ref()),
            ("nkey", self.nkey.as_ref()),
            ("sig", self.sig.as_ref()),
            ("jwt", self.jwt.as_ref()),
        ] {
            if let Some(value) = value {
                json.text(name, value);
            }
        }
        json.end()
    }

    /// Takes what a further `CONNECT` says. What it does not say, or says is `null`, stays as it was.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or a value has another type; nothing was taken then.
    pub fn take(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let said: serde_json::Map<String, Value> = serde_json::from_slice(json)?;
        let mut all = serde_json::to_value(&*self)?;
        if let Value::Object(all) = &mut all {
            all.extend(said.into_iter().filter(|(_, value)| !value.is_null()));
        }
        *self = serde_json::from_value(all)?;
        Ok(())
    }
}

/// What one may do: something allowed, and not denied. An absent list of allowed subjects allows all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rights {
    /// Patterns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Patterns; they win.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
fn is_false(value: &bool) -> bool {
    !*value
}
