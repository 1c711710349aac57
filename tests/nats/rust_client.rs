//! The official client of Rust, `async-nats`, on each broker.
//!
//! What it is told it takes as it takes it of real servers: a case that passes there and not on ours is a defect of ours.
//!
//! Source: crate `async-nats` 0.51.

use crate::links::free_ports;
use crate::nkey::Nkey;
use crate::servers::{Broker, Running, Setup, User};
use async_nats::client::{PublishErrorKind, RequestErrorKind};
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, HeaderValue, Message, Subscriber,
};
use futures_util::StreamExt;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long one test may wait in all: longer than any busy machine wants.
const PATIENCE: Duration = Duration::from_mins(1);

on_each![
    crate::rust_client::run:
    subjects_and_wildcards_are_heard,
    a_group_shares_the_work,
    a_request_with_headers_is_answered,
    who_asks_nobody_is_told_so,
    a_subscription_ends_after_as_many_as_it_wanted,
    a_name_and_a_password_open,
    a_token_opens,
    a_key_opens,
    what_is_forbidden_is_said_and_the_rest_goes_on,
    a_message_that_is_too_big_is_an_error,
    after_the_broker_was_away_all_is_heard_again,
    a_hundred_come_back_after_a_kill,
    a_drained_subscription_keeps_what_came_in,
    a_drained_connection_leaves_nothing_unsaid,
];

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime
        .expect("a runtime")
        .block_on(async { timeout(PATIENCE, test).await });
    ended.expect("all that was waited for came in time");
}

async fn client(broker: &Running) -> Client {
    async_nats::connect(&broker.address).await.expect("it is let in")
}

async fn subscribed(client: &Client, subject: &'static str) -> Subscriber {
    let heard = client.subscribe(subject).await.expect("an open connection");
    settled(client).await;
    heard
}

async fn say(client: &Client, subject: &'static str, body: &'static str) {
    let said = client.publish(subject, body.into()).await;
    said.expect("an open connection");
}

/// The broker acted on all that was said so far: it answers to what comes behind.
async fn settled(client: &Client) {
    let answer = client.request("nobody.takes.this", "".into()).await;
    let error = answer.expect_err("nobody takes it");
    assert_eq!(error.kind(), RequestErrorKind::NoResponders);
}

async fn next(heard: &mut Subscriber) -> Message {
    heard.next().await.expect("a message and no end")
}

/// The next messages as `SUBJECT BODY`.
async fn texts(heard: &mut Subscriber, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(text(&next(heard).await));
    }
    texts
}

fn text(message: &Message) -> String {
    format!(
        "{} {}",
        message.subject,
        String::from_utf8_lossy(&message.payload)
    )
}

async fn subjects_and_wildcards_are_heard(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let (hears, says) = (client(&broker).await, client(&broker).await);
    let mut stars = subscribed(&hears, "news.*.today").await;
    let mut rest = subscribed(&hears, "news.>").await;
    for (subject, body) in [
        ("news", "too short"),
        ("news.sport.today", "goal"),
        ("news.art.today", "song"),
        ("news.art", "late"),
        ("news.art.today.noon", "deep"),
        ("news.end.today", ""),
    ] {
        say(&says, subject, body).await;
    }
    let ends = ["news.sport.today goal", "news.art.today song", "news.end.today "];
    assert_eq!(texts(&mut stars, 3).await, ends);
    assert_eq!(
        texts(&mut rest, 5).await,
        [
            ends[0],
            ends[1],
            "news.art late",
            "news.art.today.noon deep",
            ends[2]
        ]
    );
}

async fn a_group_shares_the_work(broker: Broker) {
    const JOBS: usize = 300;
    let broker = broker.start(&Setup::open());
    let says = client(&broker).await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let worker = client(&broker).await;
        let jobs = worker.queue_subscribe("work", "group".into()).await;
        settled(&worker).await;
        workers.push((worker, jobs.expect("an open connection")));
    }
    for _ in 0..JOBS {
        say(&says, "work", "").await;
    }
    settled(&says).await;
    let mut shares = Vec::new();
    for (worker, mut jobs) in workers {
        // What was given to it before this is heard before the end.
        settled(&worker).await;
        jobs.unsubscribe().await.expect("an open connection");
        let mut share = 0;
        while jobs.next().await.is_some() {
            share += 1;
        }
        shares.push(share);
    }
    assert_eq!(shares.iter().sum::<usize>(), JOBS, "{shares:?}");
    assert!(shares.iter().all(|share| *share > JOBS / 10), "{shares:?}");
}

async fn a_request_with_headers_is_answered(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let (asks, serves) = (client(&broker).await, client(&broker).await);
    let mut questions = subscribed(&serves, "ask").await;
    let service = async {
        let question = next(&mut questions).await;
        let asked = question.headers.as_ref().expect("headers");
        assert_eq!(asked.get("Colour").map(HeaderValue::as_str), Some("blue"));
        let shades: Vec<&str> = asked.get_all("Shade").map(HeaderValue::as_str).collect();
        assert_eq!(shades, ["light", "dark: very"]);
        let mut told = HeaderMap::new();
        told.insert("Seen", "yes");
        let place = question.reply.clone().expect("where to answer");
        let body = format!("{} yes", text(&question));
        let said = serves.publish_with_headers(place, told, body.into()).await;
        said.expect("an open connection");
    };
    let mut headers = HeaderMap::new();
    headers.insert("Colour", "blue");
    headers.append("Shade", "light");
    headers.append("Shade", "dark: very");
    let question = asks.request_with_headers("ask", headers, "sky?".into());
    let ((), answer) = tokio::join!(service, question);
    let answer = answer.expect("an answer");
    assert_eq!(answer.payload, "ask sky? yes");
    let told = answer.headers.as_ref().expect("headers");
    assert_eq!(told.get("Seen").map(HeaderValue::as_str), Some("yes"));
}

async fn who_asks_nobody_is_told_so(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let client = client(&broker).await;
    // Not by the time that the client waits for an answer: that is another kind of error.
    let error = client.request("ask", "".into()).await.expect_err("nobody hears");
    assert_eq!(error.kind(), RequestErrorKind::NoResponders);
    let mut heard = subscribed(&client, "ask").await;
    let (question, answer) = tokio::join!(next(&mut heard), async {
        let request = async_nats::Request::new().timeout(Some(Duration::from_millis(300)));
        client.send_request("ask", request).await
    });
    assert!(question.reply.is_some());
    assert_eq!(
        answer.expect_err("nobody answers").kind(),
        RequestErrorKind::TimedOut
    );
}

async fn a_subscription_ends_after_as_many_as_it_wanted(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let client = client(&broker).await;
    let mut heard = subscribed(&client, "one").await;
    heard.unsubscribe_after(2).await.expect("an open connection");
    for body in ["1", "2", "3"] {
        say(&client, "one", body).await;
    }
    assert_eq!(texts(&mut heard, 2).await, ["one 1", "one 2"]);
    assert!(heard.next().await.is_none());
}

/// Whether one who comes so is let in, and else that it is told why.
async fn is_let_in(broker: &Running, options: ConnectOptions) -> bool {
    match options.connect(&broker.address).await {
        Ok(client) => {
            settled(&client).await;
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation, "{error}");
            false
        }
    }
}

async fn a_name_and_a_password_open(broker: Broker) {
    let broker = broker.start(&Setup::users([
        User::new("ann", "secret"),
        User::new("bob", "other"),
    ]));
    let with = |name: &str, password: &str| {
        ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
    };
    assert!(is_let_in(&broker, with("ann", "secret")).await);
    assert!(is_let_in(&broker, with("bob", "other")).await);
    assert!(!is_let_in(&broker, with("ann", "other")).await);
    assert!(!is_let_in(&broker, with("eve", "secret")).await);
    assert!(!is_let_in(&broker, ConnectOptions::new()).await);
}

async fn a_token_opens(broker: Broker) {
    let broker = broker.start(&Setup::token("open sesame"));
    let with = |token: &str| ConnectOptions::with_token(token.to_owned());
    assert!(is_let_in(&broker, with("open sesame")).await);
    assert!(!is_let_in(&broker, with("open barley")).await);
    assert!(!is_let_in(&broker, ConnectOptions::new()).await);
}

async fn a_key_opens(broker: Broker) {
    let (known, unknown) = (Nkey::from_seed([7; 32]), Nkey::from_seed([8; 32]));
    let broker = broker.start(&Setup::users([User::with_nkey(known.public())]));
    assert!(is_let_in(&broker, ConnectOptions::with_nkey(known.seed())).await);
    assert!(!is_let_in(&broker, ConnectOptions::with_nkey(unknown.seed())).await);
    assert!(!is_let_in(&broker, ConnectOptions::new()).await);
}

/// Options that hand over what happens to the connection, in short words.
fn watched(options: ConnectOptions) -> (ConnectOptions, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let options = options.event_callback(move |event: Event| {
        let tell = tell.clone();
        async move {
            // Whoever does not look any more need not be told.
            tell.send(event.to_string()).ok();
        }
    });
    (options, told)
}

/// Waits until it is told an event that holds `text`.
async fn told(events: &mut mpsc::UnboundedReceiver<String>, text: &str) {
    loop {
        let event = events.recv().await.expect("a client that lives");
        if event.contains(text) {
            return;
        }
    }
}

async fn what_is_forbidden_is_said_and_the_rest_goes_on(broker: Broker) {
    let user = User::new("ann", "secret")
        .never_publishes(&["closed.>"])
        .never_subscribes(&["hidden.>"]);
    let broker = broker.start(&Setup::users([user]));
    let options = ConnectOptions::with_user_and_password("ann".into(), "secret".into());
    let (options, mut events) = watched(options);
    let client = options.connect(&broker.address).await.expect("it is let in");
    let mut heard = subscribed(&client, "open.*").await;
    say(&client, "closed.door", "").await;
    told(
        &mut events,
        "Permissions Violation for Publish to \"closed.door\"",
    )
    .await;
    let hidden = client.subscribe("hidden.door").await;
    told(
        &mut events,
        "Permissions Violation for Subscription to \"hidden.door\"",
    )
    .await;
    say(&client, "open.door", "wide").await;
    assert_eq!(text(&next(&mut heard).await), "open.door wide");
    drop(hidden);
}

async fn a_message_that_is_too_big_is_an_error(broker: Broker) {
    const BYTES_MAX: u32 = 5000;
    let broker = broker.start(&Setup::open().max_payload(BYTES_MAX));
    let client = client(&broker).await;
    let length = usize::try_from(BYTES_MAX).expect("small");
    assert_eq!(client.max_payload(), length);
    let mut heard = subscribed(&client, "one").await;
    let too_big = client.publish("one", vec![b'x'; length + 1].into()).await;
    assert_eq!(
        too_big.expect_err("too big").kind(),
        PublishErrorKind::MaxPayloadExceeded
    );
    let said = client.publish("one", vec![b'x'; length].into()).await;
    said.expect("an open connection");
    assert_eq!(next(&mut heard).await.payload.len(), length);
}

async fn after_the_broker_was_away_all_is_heard_again(broker: Broker) {
    let [port] = free_ports();
    let setup = Setup::open().clients_at(port);
    let first = broker.start(&setup);
    let (options, mut events) = watched(ConnectOptions::new());
    let hears = options.connect(&first.address).await.expect("it is let in");
    let mut all = subscribed(&hears, "after.*").await;
    let mut shared = hears.queue_subscribe("after.*", "group".into()).await;
    let shared = shared.as_mut().expect("an open connection");
    told(&mut events, "connected").await;
    drop(first);
    told(&mut events, "disconnected").await;
    let second = broker.start(&setup);
    told(&mut events, "connected").await;
    settled(&hears).await;
    let says = client(&second).await;
    say(&says, "after.it", "again").await;
    assert_eq!(text(&next(&mut all).await), "after.it again");
    assert_eq!(text(&next(shared).await), "after.it again");
    assert_eq!(
        hears.request("ask", "".into()).await.expect_err("nobody").kind(),
        RequestErrorKind::NoResponders
    );
}

async fn a_hundred_come_back_after_a_kill(broker: Broker) {
    const CLIENTS: usize = 100;
    let [port] = free_ports();
    let setup = Setup::open().clients_at(port);
    let first = broker.start(&setup);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (options, mut events) = watched(ConnectOptions::new());
        let client = options.connect(&first.address).await.expect("it is let in");
        let heard = subscribed(&client, "all").await;
        told(&mut events, "connected").await;
        clients.push((client, heard, events));
    }
    // By SIGKILL: nobody is told anything.
    drop(first);
    let second = broker.start(&setup);
    for (client, _, events) in &mut clients {
        told(events, "disconnected").await;
        told(events, "connected").await;
        settled(client).await;
    }
    let says = client(&second).await;
    say(&says, "all", "again").await;
    for (_, heard, _) in &mut clients {
        assert_eq!(text(&next(heard).await), "all again");
    }
}

/// How many messages were heard before the end; all are `one said`.
async fn count_to_the_end(heard: &mut Subscriber) -> usize {
    let mut count = 0;
    while let Some(message) = heard.next().await {
        assert_eq!(text(&message), "one said");
        count += 1;
    }
    count
}

const MANY: usize = 1000;

/// What came in and was not yet taken is kept. This client does not wait for what is still on its way from the
/// broker, whichever broker it is; so all of it is here before the drain begins.
async fn a_drained_subscription_keeps_what_came_in(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let client = client(&broker).await;
    let mut heard = subscribed(&client, "one").await;
    for _ in 0..MANY {
        say(&client, "one", "said").await;
    }
    settled(&client).await;
    heard.drain().await.expect("an open connection");
    // From here on the broker knows that nothing more is wanted.
    settled(&client).await;
    say(&client, "one", "late").await;
    settled(&client).await;
    assert_eq!(count_to_the_end(&mut heard).await, MANY);
}

async fn a_drained_connection_leaves_nothing_unsaid(broker: Broker) {
    let broker = broker.start(&Setup::open());
    let hears = client(&broker).await;
    let mut heard = subscribed(&hears, "one").await;
    let (options, mut events) = watched(ConnectOptions::new());
    let says = options.connect(&broker.address).await.expect("it is let in");
    for _ in 0..MANY {
        say(&says, "one", "said").await;
    }
    says.drain().await.expect("an open connection");
    told(&mut events, "closed").await;
    assert!(says.subscribe("one").await.is_err(), "it is closed");
    heard
        .unsubscribe_after(u64::try_from(MANY).expect("small"))
        .await
        .expect("an open connection");
    assert_eq!(count_to_the_end(&mut heard).await, MANY);
}
