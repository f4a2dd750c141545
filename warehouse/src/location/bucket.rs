//! A prefix of a bucket: `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Azure,
    Google,
}

impl Service {
    const ALL: [Self; 3] = [Self::S3, Self::Azure, Self::Google];

    const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Google => "gs",
        }
    }

    /// How to turn off what gives deleted files back for days and is not told by the files themselves.
    const fn soft_delete(self) -> Option<&'static str> {
        match self {
            Self::S3 => None,
            Self::Azure => Some("turn off the storage account's soft delete for blobs and containers"),
            Self::Google => {
                Some("`gcloud storage buckets update gs://BUCKET --clear-soft-delete` turns it off")
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub service: Service,
    pub name: String,
    /// May be empty: the whole bucket.
    pub prefix: object_store::path::Path,
}

/// How a store that speaks S3 is reached. What is not set is taken from the `AWS_*` environment. The secret itself is
/// read from its file when the store is opened and kept nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3 {
    /// Of a store that is not Amazon's. Unset: Amazon's of the region.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// Together with `secret_file`.
    pub access_key_id: Option<String>,
    /// Holds the secret access key and nothing else.
    pub secret_file: Option<PathBuf>,
    /// Lets the endpoint be `http://`: rows and signatures go over the network as they are.
    pub allow_http: bool,
}

impl S3 {
    /// # Errors
    /// The key and why its value cannot work.
    pub fn validate(&self) -> Result<(), String> {
        match self.endpoint.as_deref().map(|text| (text, url::Url::parse(text))) {
            None => {}
            Some((_, Ok(url))) if !url.username().is_empty() || url.password().is_some() => {
                return Err("`endpoint`: must hold no credentials".to_owned());
            }
            Some((_, Ok(url))) if url.scheme() == "https" => {}
            Some((_, Ok(url))) if url.scheme() == "http" && self.allow_http => {}
            Some((text, Ok(url))) if url.scheme() == "http" => {
                return Err(format!(
                    "`endpoint`: `{text}` is not encrypted; set `allow_http = true` if it may be"
                ));
            }
            Some((text, _)) => {
                return Err(format!("`endpoint`: `{text}` must be a URL such as https://s3.example.com"));
            }
        }
        if self.access_key_id.is_some() != self.secret_file.is_some() {
            return Err("`access_key_id` and `secret_file`: give both or none".to_owned());
        }
        Ok(())
    }
}

/// None for what is no bucket's URL.
pub(super) fn parse(text: &str) -> Result<Option<Bucket>, Error> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(None) };
    let Some(service) =
        Service::ALL.into_iter().find(|service| service.scheme().eq_ignore_ascii_case(scheme))
    else {
        return Ok(None);
    };
    let plain = rest.split(['?', '#']).next().unwrap_or_default();
    let (name, prefix) = plain.split_once('/').unwrap_or((plain, ""));
    let (user, name) = name.rsplit_once('@').map_or((None, name), |(user, name)| (Some(user), name));
    // Neither user nor query is shown: both may be secrets.
    let shown = format!("{}://{name}/{prefix}", service.scheme());
    let refused = |what, remedy| Err(Error::Bucket { shown: shown.clone(), what, remedy });
    if user.is_some() {
        let remedy =
            "leave it out; credentials come from the environment or [warehouse.s3], profiles are not read";
        return refused("a user or profile before the bucket", remedy);
    }
    if plain.len() < rest.len() {
        return refused(
            "a query or fragment",
            "leave it out; settings stand in [warehouse.s3] or the environment",
        );
    }
    if name.contains(':') {
        return refused(
            "a port",
            "name the address as `endpoint` of [warehouse.s3] and the bucket alone here",
        );
    }
    if name.is_empty() {
        return Err(Error::NoBucket(text.to_owned()));
    }
    let name_like = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(name_like) {
        return refused("a bucket name that no store allows", "use letters, digits, `-`, `_` and `.`");
    }
    let prefix = object_store::path::Path::parse(prefix)
        .map_err(|error| Error::Prefix { shown: shown.clone(), detail: error.to_string() })?;
    Ok(Some(Bucket { service, name: name.to_owned(), prefix }))
}

impl Bucket {
    pub(super) fn soft_delete(&self) -> Option<String> {
        self.service.soft_delete().map(|remedy| remedy.replace("BUCKET", &self.name))
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.service.scheme(), self.name)?;
        if self.prefix.as_ref().is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}
