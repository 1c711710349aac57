//! TLS both ways: our server to our client, and whom the client trusts.

use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::artifacts;
use leaf_tests::scene;
use leaf_tests::scratch::Scratch;

/// Writes a certificate for `localhost` and 127.0.0.1 and its key.
fn certificate(scratch: &Scratch, name: &str) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(scratch.path(&format!("{name}.pem")), made.cert.pem()).expect("a file");
    std::fs::write(
        scratch.path(&format!("{name}.key")),
        made.signing_key.serialize_pem(),
    )
    .expect("a file");
}

#[test]
fn a_clone_over_tls_succeeds_only_with_a_trusted_certificate() {
    let scratch = Scratch::new();
    let origin = scene::small(&scratch, "origin.fossil");
    certificate(&scratch, "server");
    certificate(&scratch, "other");
    let server = LeafServer::start_with(
        &scratch,
        &origin,
        &["--tls-cert", "server.pem", "--tls-key", "server.key"],
    );
    let url = server.url().replace("http://", "https://");
    scratch.leaf(&["clone", &url, "clone.fossil", "--ca-cert", "server.pem"]);
    assert_eq!(artifacts(&origin), artifacts(&scratch.path("clone.fossil")));
    for args in [
        &["clone", &url, "no.fossil"][..],
        &["clone", &url, "no.fossil", "--ca-cert", "other.pem"],
    ] {
        let said = scratch.leaf_any(args);
        assert_eq!(said.code, Some(3), "{}", said.text());
        assert!(said.stderr.contains("certificate"), "{}", said.stderr);
        assert!(
            !scratch.path("no.fossil").exists(),
            "a refused clone leaves a file"
        );
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused_at_the_start() {
    let scratch = Scratch::new();
    scene::small(&scratch, "origin.fossil");
    certificate(&scratch, "server");
    certificate(&scratch, "other");
    let args = [
        "serve",
        "origin.fossil",
        "--http",
        "127.0.0.1:0",
        "--tls-cert",
        "server.pem",
        "--tls-key",
        "other.key",
    ];
    let said = scratch.leaf_any(&args);
    assert_eq!(said.code, Some(4), "{}", said.text());
    assert!(
        said.stderr.contains("cannot use the certificate server.pem"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_file_without_certificates_is_no_list_of_authorities() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("empty.pem"), "nothing").expect("a file");
    let said = scratch.leaf_any(&[
        "clone",
        "https://127.0.0.1:1/",
        "c.fossil",
        "--ca-cert",
        "empty.pem",
    ]);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(
        said.stderr.contains("no certificates can be read from empty.pem"),
        "{}",
        said.stderr
    );
}
