//! What a store's error says: whether time can mend it, in few words, and what to do.
//!
//! Stores tell their reasons in the body of an answer, as XML or JSON over several lines; `object_store` hands it on as
//! text.

use object_store::Error;

use crate::causes::chain;
use crate::location::{Location, Place, Service};

const BUCKET_GONE: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"];
/// No such file. A bucket that is gone answers with the same status and is another matter: whoever took it for an
/// empty one would begin the tables anew.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && !is_bucket_gone(error)
}

fn is_bucket_gone(error: &Error) -> bool {
    let text = chain(error);
    BUCKET_GONE.iter().any(|code| text.contains(code))
}

/// In the words of the store's own code, for one line of a log.
pub(super) fn short(error: &Error) -> String {
    match error {
        Error::PermissionDenied { source, .. }
        | Error::Unauthenticated { source, .. }
        | Error::NotFound { source, .. }
        | Error::Generic { source, .. } => chain(source.as_ref()),
        error => chain(error),
    }
}

/// What an operator can do about an error that does not pass by itself.
pub(super) fn remedy(location: &Location, error: &Error) -> String {
    let service = match location.place() {
        Place::Folder(_) => return "check owner and mode of the folder".to_owned(),
        Place::Bucket(bucket) => bucket.service,
    };
    if is_bucket_gone(error) {
        return "make the bucket or correct its name in [warehouse] `location`".to_owned();
    }
    let text = chain(error);
    if text.contains("RequestTimeTooSkewed") {
        return "set the clock of this host".to_owned();
    }
    if text.contains("PermanentRedirect") || text.contains("redirect without LOCATION") {
        return "name the bucket's region in [warehouse.s3] `region`".to_owned();
    }
    credentials(service).to_owned()
}

pub(super) const fn credentials(service: Service) -> &'static str {
    match service {
        Service::S3 => {
            "give valid credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, by [warehouse.s3] `access_key_id` and `secret_file`, or by the role of the host, with the right to get, put, list and delete"
        }
        Service::Azure => {
            "give account and credentials by the AZURE_STORAGE_* environment, with the right to read, write, list and delete"
        }
        Service::Google => {
            "give valid credentials by GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS, with the right to get, create, list and delete objects"
        }
    }
}

/// The same error with status and code in place of the whole answer, where it holds one.
pub(super) fn shortened(error: Error) -> Error {
    let Some(answer) = answer(&error.to_string()) else { return error };
    let source = answer.into();
    match error {
        Error::Generic { store, .. } => Error::Generic { store, source },
        Error::NotFound { path, .. } => Error::NotFound { path, source },
        Error::AlreadyExists { path, .. } => Error::AlreadyExists { path, source },
        Error::Precondition { path, .. } => Error::Precondition { path, source },
        Error::PermissionDenied { path, .. } => Error::PermissionDenied { path, source },
        Error::Unauthenticated { path, .. } => Error::Unauthenticated { path, source },
        error => error,
    }
}

/// `403 Forbidden (AccessDenied: Access Denied)`.
fn answer(text: &str) -> Option<String> {
    let (_, answer) = text.split_once("Server returned non-2xx status code: ")?;
    let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
    let part = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(part, _)| part.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let said = match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        (None, _) => body.split_whitespace().take(24).collect::<Vec<_>>().join(" "),
    };
    let status = status.trim();
    Some(if said.is_empty() { status.to_owned() } else { format!("{status} ({said})") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::{Retry, of_store as retry};

    fn generic(answer: &str) -> Error {
        let text = format!("Error performing GET http://s/b/k in 1ms - {answer}");
        Error::Generic { store: "S3", source: text.into() }
    }

    fn status(answer: &str) -> Error {
        generic(&format!("Server returned non-2xx status code: {answer}"))
    }

    #[test]
    fn only_what_somebody_must_mend_waits_for_him() {
        let body = |code: &str| format!("400 Bad Request: <Error>\n<Code>{code}</Code></Error>");
        for code in ["ExpiredToken", "NoSuchBucket", "AuthorizationHeaderMalformed", "PermanentRedirect"] {
            assert_eq!(retry(&status(&body(code))), Retry::WhenMended, "{code}");
        }
        for passing in [
            status("503 Service Unavailable: <Error><Code>SlowDown</Code></Error>"),
            status("500 Internal Server Error: "),
            generic("HTTP error: request or response body error: operation timed out"),
        ] {
            assert_eq!(retry(&passing), Retry::Later, "{passing}");
        }
        let denied = Error::PermissionDenied { path: "k".into(), source: "403".into() };
        assert_eq!(retry(&denied), Retry::WhenMended);
        let unknown = Error::NotSupported { source: "x".into() };
        assert_eq!(retry(&unknown), Retry::Never);
    }

    #[test]
    fn a_missing_file_is_no_missing_bucket() {
        let missing = |code: &str| Error::NotFound {
            path: "k".into(),
            source: format!("404 Not Found: <Code>{code}</Code>").into(),
        };
        assert!(is_absent(&missing("NoSuchKey")));
        assert!(!is_absent(&missing("NoSuchBucket")));
        assert_eq!(retry(&missing("NoSuchBucket")), Retry::WhenMended);
    }

    #[test]
    fn an_answer_of_many_lines_becomes_one() {
        let long = "403 Forbidden: <?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>\n<Message>Access\nDenied</Message></Error>";
        let error = shortened(status(long));
        assert_eq!(short(&error), "403 Forbidden (AccessDenied: Access Denied)");
        assert_eq!(short(&shortened(status("502 Bad Gateway: "))), "502 Bad Gateway");
        // What says no status stays as it is.
        let cut = generic("connection refused");
        assert_eq!(shortened(cut).to_string(), generic("connection refused").to_string());
    }
}
