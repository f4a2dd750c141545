//! A blocking HTTP client over one runtime of its own, so that tests and shared services need no runtime.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Runtime;

/// Slow answers are failures: pages are to be served in milliseconds, bodies of megabytes in seconds.
const ANSWER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("answer is no JSON ({e}): {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("start the test runtime")
    })
}

pub fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(ANSWER)
            .build()
            .expect("build the test client")
    })
}

pub fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    runtime().block_on(async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?.to_vec();
        Ok(Answer { status, headers, body })
    })
}

/// GET that must be answered, whatever the status.
#[track_caller]
pub fn get(url: &str) -> Answer {
    send(client().get(url)).unwrap_or_else(|error| panic!("GET {url}: {error}"))
}

/// GET of something that may not listen yet.
pub fn try_get(url: &str) -> Option<Answer> {
    send(client().get(url)).ok()
}

pub fn post(url: &str) -> reqwest::RequestBuilder {
    client().post(url)
}
