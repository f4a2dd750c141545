//! Content encodings: chosen once per request, applied once per page.

use std::io::Write;

use axum::http::{HeaderMap, header};
use bytes::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

/// Quality 5: within a few percent of the best at a small part of its time.
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 22;

impl Encoding {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// The best encoding that the client takes.
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let (mut gzip, mut brotli) = (false, false);
        for value in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
            for part in value.split(',') {
                let (name, weight) = part.split_once(';').unwrap_or((part, ""));
                let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>() == Ok(0.0));
                match name.trim().to_ascii_lowercase().as_str() {
                    "br" => brotli = !refused,
                    "gzip" => gzip = !refused,
                    _ => {}
                }
            }
        }
        match (brotli, gzip) {
            (true, _) => Self::Brotli,
            (false, true) => Self::Gzip,
            _ => Self::Identity,
        }
    }
}

pub(crate) fn compress(bytes: &[u8], encoding: Encoding) -> Bytes {
    let out = match encoding {
        Encoding::Identity => return Bytes::copy_from_slice(bytes),
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            writer.write_all(bytes).and_then(|()| writer.finish())
        }
        Encoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4_096, BROTLI_QUALITY, BROTLI_WINDOW);
            writer.write_all(bytes).map(|()| writer.into_inner())
        }
    };
    // Writing into memory does not fail.
    Bytes::from(out.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn chosen(accept: &str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        Encoding::negotiate(&headers)
    }

    #[test]
    fn the_best_accepted_encoding_is_chosen() {
        assert_eq!(chosen("gzip, deflate, br, zstd"), Encoding::Brotli);
        assert_eq!(chosen("br;q=0, gzip;q=0.5"), Encoding::Gzip);
        assert_eq!(chosen("deflate"), Encoding::Identity);
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Encoding::Identity);
    }

    #[test]
    fn compressed_bytes_unpack_to_the_same_text() {
        let text = "rank and value and signed change ".repeat(200);
        let mut gunzipped = String::new();
        let packed = compress(text.as_bytes(), Encoding::Gzip);
        flate2::read::GzDecoder::new(packed.as_ref()).read_to_string(&mut gunzipped).unwrap();
        assert_eq!(gunzipped, text);
        let mut unpacked = String::new();
        let packed = compress(text.as_bytes(), Encoding::Brotli);
        brotli::Decompressor::new(packed.as_ref(), 4_096).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        assert!(packed.len() < text.len() / 10);
    }
}
