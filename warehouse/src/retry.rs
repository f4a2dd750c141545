//! Whether it is worth to try again, decided beside the error.

use object_store::Error;

use crate::causes::chain;

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// By itself: the store is slow, busy or cannot be reached, or others were first.
    Later,
    /// Once somebody has mended credentials, rights or the bucket. Worth trying again at a slow pace.
    WhenMended,
    /// The tables or the rows are what they are.
    Never,
}

/// Codes of answers that stay the same until somebody changes credentials, rights or the bucket. Those of 401 and 403
/// are known by their status alone.
const TO_MEND: [&str; 12] = [
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed",
    "RequestTimeTooSkewed",
    "PermanentRedirect",
    "NoSuchBucket",
    "ContainerNotFound",
    "The specified bucket does not exist",
    "ContainerBeingDeleted",
];
/// Where credentials are asked for when nothing else gives them.
const INSTANCE_METADATA: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];

pub(crate) fn of_store(error: &Error) -> Retry {
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Retry::WhenMended,
        Error::InvalidPath { .. }
        | Error::NotSupported { .. }
        | Error::NotImplemented { .. }
        | Error::UnknownConfigurationKey { .. } => Retry::Never,
        error => {
            let text = chain(error);
            let to_mend = TO_MEND.iter().chain(&INSTANCE_METADATA).any(|code| text.contains(code))
                || text.contains("redirect without LOCATION");
            if to_mend { Retry::WhenMended } else { Retry::Later }
        }
    }
}
