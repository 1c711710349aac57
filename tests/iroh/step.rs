//! Leaves that serve keep each other in step, without anybody who says `leaf sync`.

use crate::leaf::{Guest, Host, commit, plain, wait_until};
use iroh::endpoint::presets;
use iroh::{Endpoint, SecretKey};
use leaf_core::peer::{XFER, XFER_EDGESYNC};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::{artifacts, assert_sound};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;

/// An endpoint that lets everybody in and says nothing.
struct Hung {
    runtime: Runtime,
    endpoint: Endpoint,
    calls: Arc<AtomicUsize>,
}

impl Hung {
    fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        let builder = Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::generate())
            .alpns(vec![XFER.to_vec(), XFER_EDGESYNC.to_vec()])
            .clear_ip_transports()
            .bind_addr("127.0.0.1:0")
            .expect("an address");
        let endpoint = runtime.block_on(builder.bind()).expect("a socket");
        let calls = Arc::new(AtomicUsize::default());
        let (taking, count) = (endpoint.clone(), Arc::clone(&calls));
        runtime.spawn(async move {
            let mut open = Vec::new();
            while let Some(incoming) = taking.accept().await {
                if let Ok(connection) = incoming.await {
                    count.fetch_add(1, Ordering::Relaxed);
                    open.push(connection);
                }
            }
        });
        Self {
            runtime,
            endpoint,
            calls,
        }
    }

    /// Puts it on the list of a repository, with its place.
    fn is_listed_by(&self, host: &Host) {
        let id = self.endpoint.id().to_string();
        let address = self.endpoint.bound_sockets()[0];
        let url = format!("iroh://{id}?addr={address}");
        let allow = ["peers", "allow", &id, "--at", &url, "-R", plain(&host.file)];
        host.scratch.leaf(&allow);
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        self.runtime.block_on(self.endpoint.close());
    }
}

/// Serves what a guest has.
fn serve(guest: &Guest) -> LeafServer {
    LeafServer::start_with(&guest.scratch, &guest.file(), &["--iroh=127.0.0.1:0"])
}

/// Waits until both have the same artifacts.
#[track_caller]
fn wait_for_both(what: &str, one: &Path, other: &Path) {
    wait_until(what, || artifacts(one) == artifacts(other));
}

#[test]
fn leaves_keep_in_step_by_themselves_beside_one_that_hangs() {
    let (host, guest, hung) = (Host::start(), Guest::new(), Hung::start());
    hung.is_listed_by(&host);
    let ticket = host.invite(&[]);
    guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--user", "alice"]);
    let mut served = serve(&guest);
    wait_until("it is known where the guest is", || {
        let list = ["query", "SELECT value FROM config WHERE name GLOB 'leaf-guest:*'"];
        let rows = host
            .scratch
            .leaf(&[list.as_slice(), &["-R", plain(&host.file)]].concat());
        rows.stdout.contains(&format!("iroh://{}", guest.id()))
    });
    wait_until("the one that hangs was called", || {
        hung.calls.load(Ordering::Relaxed) > 0
    });
    let before = artifacts(&host.file);
    commit(&host.scratch, &host.file, "from the host");
    assert_ne!(artifacts(&host.file), before);
    wait_for_both("it comes to the guest", &host.file, &guest.file());
    commit(&guest.scratch, &guest.file(), "from the guest");
    wait_for_both("it comes to the host", &host.file, &guest.file());

    // One that was away is told when it is back.
    served.kill();
    commit(&host.scratch, &host.file, "meanwhile");
    commit(&guest.scratch, &guest.file(), "meanwhile, too");
    assert_ne!(artifacts(&host.file), artifacts(&guest.file()));
    let _served = serve(&guest);
    wait_for_both("both catch up", &host.file, &guest.file());
    assert_sound(&guest.scratch, &guest.file());
    assert_sound(&host.scratch, &host.file);
}

#[test]
fn a_place_that_is_somebody_elses_is_not_taken() {
    let (host, guest) = (Host::start(), Guest::new());
    let (id, other) = (guest.id(), SecretKey::generate().public());
    let url = format!("iroh://{other}?addr=127.0.0.1:1");
    let allow = ["peers", "allow", &id, "--at", &url, "-R", plain(&host.file)];
    let said = host.scratch.leaf_any(&allow);
    assert_eq!(said.code, Some(2), "{}", said.text());
}
