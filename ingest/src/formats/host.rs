//! The host of an upstream, from whatever a log holds of its address.

use url::Url;

/// `host[:port]` of a base URL or a bare host; credentials, paths and default ports stay behind.
pub(super) fn of(address: &str) -> Option<String> {
    let url =
        if address.contains("://") { Url::parse(address) } else { Url::parse(&format!("https://{address}")) };
    let url = url.ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// True for a bare host, perhaps with a port.
pub(super) fn is_bare(address: &str) -> bool {
    !address.contains(['/', '@', '?', '#', '\\'])
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
        ] {
            assert_eq!(super::of(address).as_deref(), Some(want), "{address}");
        }
        assert_eq!(super::of("file:///x"), None);
        assert_eq!(super::of(""), None);
    }
}
