//! A store that speaks S3: versitygw over a folder, where each bucket is a folder and each object a file.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::guard::Guard;
use super::{free_port, scratch, services, tool, wait};

pub const KEY: &str = "bellwether-tests";
pub const SECRET: &str = "not-a-secret-2";

#[derive(Debug)]
pub struct Gateway {
    child: Child,
    folder: PathBuf,
    port: u16,
    _guard: Guard,
}

impl Gateway {
    /// The gateway that all tests share. It ends with the test process.
    pub fn shared() -> &'static Self {
        static GATEWAY: OnceLock<Gateway> = OnceLock::new();
        GATEWAY.get_or_init(Self::start)
    }

    pub fn start() -> Self {
        let program = services::prefetch("gateway").join("versitygw");
        let folder = scratch().keep();
        for name in ["buckets", "versions"] {
            std::fs::create_dir(folder.join(name)).expect("make a folder of the gateway");
        }
        std::fs::write(folder.join("secret"), SECRET).expect("write the secret");
        let (port, log) = (free_port(), folder.join("gateway.log"));
        let output = std::fs::File::create(&log).expect("create the gateway's log");
        let child = Command::new(program)
            .args(["--port", &format!("127.0.0.1:{port}"), "--keep-alive", "--quiet", "posix"])
            .arg("--versioning-dir")
            .args([folder.join("versions"), folder.join("buckets")])
            .envs([("ROOT_ACCESS_KEY", KEY), ("ROOT_SECRET_KEY", SECRET)])
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("share the gateway's log"))
            .stderr(output)
            .spawn()
            .expect("start the gateway");
        let guard = Guard::over(child.id(), Some(&folder));
        let gateway = Self { child, folder, port, _guard: guard };
        wait::until("the gateway to listen", wait::START, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        gateway
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn secret_file(&self) -> PathBuf {
        self.folder.join("secret")
    }

    /// Folder of a bucket.
    pub fn bucket(&self, name: &str) -> PathBuf {
        self.folder.join("buckets").join(name)
    }

    pub fn make_bucket(&self, name: &str) -> PathBuf {
        let bucket = self.bucket(name);
        std::fs::create_dir_all(&bucket).expect("make a bucket");
        bucket
    }

    /// Whether a bucket keeps what is deleted or replaced: `Enabled` or `Suspended`.
    #[track_caller]
    pub fn set_versioning(&self, bucket: &str, status: &str) {
        let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--request", "PUT", "--data", &body])
            .args(["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", &format!("{KEY}:{SECRET}")])
            .args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
            .arg(format!("{}/{bucket}?versioning=", self.url()));
        tool::run("curl", &mut curl).ok();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
