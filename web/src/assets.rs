//! Static files, embedded in the binary under addresses that change with their content.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::compress::{Encoding, compress};

struct Source {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

const SOURCES: &[Source] = &[
    Source {
        name: "style.css",
        media_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../static/style.css"),
    },
    Source {
        name: "favicon.svg",
        media_type: "image/svg+xml",
        bytes: include_bytes!("../static/favicon.svg"),
    },
];

/// One file as it is sent.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    pub media_type: &'static str,
    /// `/static/{hash}/{name}`
    pub href: String,
    plain: Bytes,
    gzip: Bytes,
    brotli: Bytes,
}

impl Asset {
    pub(crate) fn body(&self, encoding: Encoding) -> Bytes {
        match encoding {
            Encoding::Identity => self.plain.clone(),
            Encoding::Gzip => self.gzip.clone(),
            Encoding::Brotli => self.brotli.clone(),
        }
    }
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|source| {
            let hash = blake3::hash(source.bytes).to_hex();
            let hash = hash.get(..12).unwrap_or_default();
            Asset {
                name: source.name,
                media_type: source.media_type,
                href: format!("/static/{hash}/{}", source.name),
                plain: Bytes::from_static(source.bytes),
                gzip: compress(source.bytes, Encoding::Gzip),
                brotli: compress(source.bytes, Encoding::Brotli),
            }
        })
        .collect()
});

/// Address of an embedded file; `/static/{name}` for a name that is not embedded, which answers 404.
pub fn href(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    asset.map_or_else(|| format!("/static/{name}"), |asset| asset.href.clone())
}

pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.href == path)
}
