//! Where requests are taken and replies are given back, some at a time: by a repository, or by a bridge.

use super::line::{Line, Subscription};
use crate::world;
use leaf_core::limits::MeshLimits;
use leaf_core::mesh::{Asked, Desk, Errand, Subjects};
use leaf_core::nats::client::Arrival;
use leaf_core::sync::Reply;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// The answering side of one project on one connection.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    line: Line,
    desk: Arc<Mutex<Desk>>,
    permits: Arc<Semaphore>,
}

/// Where requests come in: to anybody, and to this one.
pub(super) struct Window {
    anybody: Subscription,
    own: Subscription,
}

impl Window {
    /// The next request; `None` once the connection is given up.
    pub(super) async fn next(&mut self) -> Option<Arrival> {
        tokio::select! {
            arrival = self.anybody.next() => arrival,
            arrival = self.own.next() => arrival,
        }
    }
}

impl Counter {
    /// A counter of `peer`, which works on as many requests at a time as there are permits.
    pub(super) fn new(line: Line, peer: String, permits: Arc<Semaphore>) -> Self {
        let desk = Desk::new(peer, MeshLimits::default(), world::seed());
        Self {
            line,
            desk: Arc::new(Mutex::new(desk)),
            permits,
        }
    }

    /// Opens the counter.
    pub(super) fn open(&self, subjects: &Subjects, peer: &str) -> Window {
        Window {
            anybody: self.line.subscribe(&subjects.sync(), Some(&subjects.queue())),
            own: self.line.subscribe(&subjects.sync_with(peer), None),
        }
    }

    /// Answers a message, beside others; whole requests are worked on by `work`, which is told what fits into one
    /// message.
    pub(super) fn take<W, F>(&self, arrival: Arrival, work: W)
    where
        W: FnOnce(Errand, usize) -> F + Send + 'static,
        F: Future<Output = Result<Reply, String>> + Send,
    {
        let Some(to) = arrival.reply.and_then(|reply| String::from_utf8(reply).ok()) else {
            return;
        };
        let counter = self.clone();
        tokio::spawn(async move {
            let Ok(_permit) = counter.permits.clone().acquire_owned().await else {
                return;
            };
            let payload_max = counter.line.state().payload_max;
            let asked = counter
                .desk()
                .handle(&arrival.header, arrival.body, payload_max, world::now());
            let answer = match asked {
                Asked::Answer(answer) => answer,
                Asked::Errand(errand) => {
                    let from = errand.from.clone();
                    let reply = work(errand, payload_max).await;
                    counter.desk().answer(from, reply, payload_max, world::now())
                }
            };
            counter.line.publish(&to, None, answer.header, answer.body);
        });
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
