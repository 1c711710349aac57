//! A Fossil server that is called by HTTP alone, answering on the mesh: requests go there as they are.
//!
//! Source: EdgeSync `bridge/`, which loses the content type of replies, so that nothing can be cloned through it.

use super::counter::Counter;
use super::line::Line;
use super::who;
use crate::error::CliError;
use crate::remote::{HttpError, HttpOptions, HttpRemote, HttpReply, RemoteUrl, RoundRequest};
use leaf_core::id::ProjectCode;
use leaf_core::limits::Limits;
use leaf_core::mesh::{Card, Errand, PREFIX, Subjects};
use leaf_core::sync::{Reply, Served};
use leaf_core::xfer::{Card as XferCard, Cards, ContentType, envelope};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Requests that the server gets at a time.
const REQUESTS_MAX: usize = 8;

/// A bridge to one server.
#[derive(Clone, Debug)]
pub struct Bridge {
    url: RemoteUrl,
    options: HttpOptions,
}

impl Bridge {
    /// To the server at `url`.
    pub fn new(url: RemoteUrl, options: HttpOptions) -> Self {
        Self { url, options }
    }

    /// Which project the server has: it says so to whoever wants to clone, even if that is not allowed.
    ///
    /// # Errors
    ///
    /// When the server is not there, or is no Fossil server.
    pub fn project(&self) -> Result<ProjectCode, CliError> {
        let message = b"pragma client-version 22800 20260315 120000\nclone 3 2147483647\n".to_vec();
        let reply = self.carry(
            &envelope::pack(message, ContentType::Compressed),
            ContentType::Compressed,
        )?;
        let limits = Limits::default();
        let message = envelope::unpack(&reply.body, reply.content_type, limits.message_bytes_max)
            .map_err(|bad| CliError::usage(format!("the server's answer cannot be read: {bad}")))?;
        for card in Cards::new(&message, &limits).flatten() {
            if let XferCard::Push { project, .. } = card
                && let Ok(project) = ProjectCode::parse(project)
            {
                return Ok(project);
            }
        }
        Err(
            CliError::usage(format!("{} does not say which project it has", self.url))
                .next_step("check the URL"),
        )
    }

    /// Answers by `line`, until that is given up.
    pub async fn run(self, line: Line, project: ProjectCode, peer_id: String) {
        let subjects = Subjects::new(PREFIX, &project);
        let card = Card {
            peer_id: peer_id.clone(),
            project_code: project.as_str().to_owned(),
            leaf: self.url.host(),
            kind: "bridge".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Card::default()
        };
        let counter = Counter::new(
            line.clone(),
            peer_id.clone(),
            Arc::new(Semaphore::new(REQUESTS_MAX)),
        );
        let mut window = counter.open(&subjects, &peer_id);
        let mut questions = line.subscribe(&Subjects::who(PREFIX), None);
        let bridge = Arc::new(self);
        loop {
            tokio::select! {
                arrival = window.next() => {
                    let Some(arrival) = arrival else { return };
                    let bridge = Arc::clone(&bridge);
                    counter.take(arrival, |errand, _| async move { bridge.work(errand).await });
                }
                Some(arrival) = questions.next() => who::tell(&line, &card, &arrival),
            }
        }
    }

    async fn work(self: Arc<Self>, errand: Errand) -> Result<Reply, String> {
        let from = errand.from.clone();
        let carried =
            tokio::task::spawn_blocking(move || self.carry(&errand.body, errand.content_type)).await;
        match carried {
            Ok(Ok(reply)) => {
                tracing::info!(
                    peer = from.as_deref().unwrap_or("unknown"),
                    bytes = reply.body.len(),
                    "carried over"
                );
                Ok(Reply {
                    body: reply.body,
                    content_type: reply.content_type,
                    served: Served::default(),
                })
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the server does not answer");
                Err(error.to_string())
            }
            Err(_) => Err("internal error".to_owned()),
        }
    }

    fn carry(&self, body: &[u8], content_type: ContentType) -> Result<HttpReply, HttpError> {
        let mut remote = HttpRemote::new(self.url.clone(), None, self.options.clone())?;
        let request = RoundRequest {
            body,
            content_type,
            cookie: None,
        };
        remote.round_trip(request, &mut |_, _| {})
    }
}
