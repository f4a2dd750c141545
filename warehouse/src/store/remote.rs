//! Stores behind buckets. Credentials come by `object_store`'s own chain: the environment, a web identity, the
//! container, the instance; for S3 also by a file. Profiles of the AWS command line are not read.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{DynObjectStore, RetryConfig};

use super::told;
use crate::error::Error;
use crate::location::{Bucket, S3, Service};

/// Longest that one call is tried again. The default of three minutes, times the tries of a commit, would outlast the
/// time in which a broker gives a silent worker up.
const RETRY: Duration = Duration::from_secs(30);

/// Any of them gives credentials to S3.
const AWS_CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

pub(super) fn open(bucket: &Bucket, s3: &S3) -> Result<Arc<DynObjectStore>, Error> {
    let unusable = |detail| Error::Unusable { location: bucket.to_string(), detail };
    let retry = RetryConfig { retry_timeout: RETRY, ..RetryConfig::default() };
    let built = match bucket.service {
        Service::S3 => amazon(bucket, s3, retry).map_err(unusable)?,
        Service::Azure => MicrosoftAzureBuilder::from_env()
            .with_container_name(&bucket.name)
            .with_retry(retry)
            .build()
            .map(|store| Arc::new(store) as Arc<DynObjectStore>),
        Service::Google => GoogleCloudStorageBuilder::from_env()
            .with_bucket_name(&bucket.name)
            .with_retry(retry)
            .build()
            .map(|store| Arc::new(store) as Arc<DynObjectStore>),
    };
    built.map_err(|error| unusable(format!("{error}; {}", told::credentials(bucket.service))))
}

fn amazon(
    bucket: &Bucket,
    s3: &S3,
    retry: RetryConfig,
) -> Result<Result<Arc<DynObjectStore>, object_store::Error>, String> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if s3.access_key_id.is_none() && is_set("AWS_PROFILE") && !AWS_CREDENTIALS.iter().any(|name| is_set(name))
    {
        return Err("AWS_PROFILE is set, but profiles are not read; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                    or `access_key_id` and `secret_file` of [warehouse.s3], or unset it where the host has a role"
            .to_owned());
    }
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&bucket.name)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(retry);
    if let Some(endpoint) = &s3.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if s3.allow_http {
        builder = builder.with_allow_http(true);
    }
    if let Some(region) = &s3.region {
        builder = builder.with_region(region);
    }
    if let (Some(id), Some(file)) = (&s3.access_key_id, &s3.secret_file) {
        let secret = std::fs::read_to_string(file).map_err(|error| {
            format!("[warehouse.s3] `secret_file`: cannot read `{}`: {error}", file.display())
        })?;
        let secret = secret.trim();
        if secret.is_empty() || secret.contains(char::is_whitespace) {
            let file = file.display();
            return Err(format!(
                "[warehouse.s3] `secret_file`: `{file}` must hold the secret access key alone"
            ));
        }
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    }
    Ok(builder.build().map(|store| Arc::new(store) as Arc<DynObjectStore>))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;
    use crate::causes::chain;
    use crate::store::Root;

    #[test]
    fn a_secret_comes_from_its_file_and_is_shown_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let s3 = S3 {
            endpoint: Some("http://127.0.0.1:1".to_owned()),
            access_key_id: Some("AKIA".to_owned()),
            secret_file: Some(file.clone()),
            allow_http: true,
            ..S3::default()
        };
        let location = Location::parse("s3://lake/w").unwrap().with_s3(s3);
        let refused = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            chain(&Root::open(&location).unwrap_err())
        };
        assert!(refused(None).contains("cannot read"), "{}", refused(None));
        for text in ["", "two words"] {
            let error = refused(Some(text));
            assert!(
                error.contains("must hold the secret access key alone") && !error.contains("two"),
                "{error}"
            );
        }
        std::fs::write(&file, "sesame-open\n").unwrap();
        let root = Root::open(&location).unwrap();
        let shown = format!("{root:?} {location:?}");
        assert!(shown.contains("s3://lake/w") && !shown.contains("sesame"), "{shown}");
    }
}
