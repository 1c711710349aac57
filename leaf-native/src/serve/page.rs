//! What a browser sees that finds a sync server.

use std::fmt::Write as _;

/// A page that says what this is and how to clone. `host` and `names` are strangers' words.
pub(super) fn page(scheme: &str, host: &str, names: Option<&[String]>) -> String {
    let host = escape(host);
    let mut body = String::new();
    // A String takes whatever is written to it.
    match names {
        None => write!(body, "<pre>leaf clone {scheme}://{host}/ project.fossil\nfossil clone {scheme}://{host}/ project.fossil</pre>"),
        Some([]) => write!(body, "<p>There is no repository here yet.</p>"),
        Some(names) => names.iter().try_for_each(|name| {
            let name = escape(name);
            write!(body, "<pre>leaf clone {scheme}://{host}/{name} {name}.fossil</pre>")
        }),
    }
    .ok();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Leaf</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:16px/1.5 system-ui,sans-serif;\
         max-width:44rem;margin:4rem auto;padding:0 1rem}}pre{{background:#8881;padding:.8rem;overflow:auto}}\
         :root{{color-scheme:light dark}}</style></head><body><h1>A Fossil repository is served here</h1>\
         <p>This is a sync server, not a web site. Clone with either program:</p>{body}\
         <p>Both work the same; afterwards, <code>sync</code> keeps the two sides equal.</p></body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hostile_host_header_does_not_become_markup() {
        assert!(!super::page("http", "<script>x</script>", None).contains("<script"));
    }
}
