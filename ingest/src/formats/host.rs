//! The host of an upstream, from whatever a log holds of its address.

use url::Url;

/// The longest DNS name, a colon and a port.
const MAX_BYTES: usize = 253 + 6;

/// `host[:port]` of a base URL or a bare host; credentials, paths and a URL's default port stay behind. What
/// gives no host gives None: it may be anything.
pub(super) fn of(address: &str) -> Option<String> {
    let address = address.trim();
    if !address.contains("://") {
        return bare(address);
    }
    let url = Url::parse(address).ok()?;
    bare(&joined(url.host_str()?, url.port()))
}

/// An address without a scheme has no default port either, so one that it states is kept.
fn bare(address: &str) -> Option<String> {
    if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let url = Url::parse(&format!("https://{address}")).ok()?;
    let port = url.port().or_else(|| Url::parse(&format!("http://{address}")).ok()?.port());
    let host = joined(url.host_str()?, port);
    let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    Some(host).filter(|host| is_host && host.len() <= MAX_BYTES)
}

fn joined(host: &str, port: Option<u16>) -> String {
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_host_and_port_are_kept() {
        for (address, want) in [
            ("http://127.0.0.1:18081/v1", "127.0.0.1:18081"),
            ("https://key:secret@LLM.example:443/v1?key=secret", "llm.example"),
            ("llm.example:8000/v1", "llm.example:8000"),
            ("LLM.example", "llm.example"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("llm.example:443", "llm.example:443"),
            ("llm.example:80", "llm.example:80"),
            ("grpc://LLM.example:50051/x", "llm.example:50051"),
        ] {
            assert_eq!(super::of(address).as_deref(), Some(want), "{address}");
            assert_eq!(super::of(want).as_deref(), Some(want), "{address}");
        }
        assert_eq!(super::of("file:///x"), None);
        assert_eq!(super::of(""), None);
    }

    #[test]
    fn what_is_no_host_is_dropped() {
        let long = "a.".repeat(200);
        for address in [
            "not a host secret words",
            "host:not a host",
            "not\ta\thost",
            "x://secret%20words/",
            "a,b",
            &long,
        ] {
            assert_eq!(super::of(address), None, "{address}");
        }
    }
}
