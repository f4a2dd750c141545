//! The closed lists of `attempts`: how a call ended, why it failed, why its answer stopped. Stored as these words.

/// An enum whose variants are words.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$of])* $variant),+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// None: the word is not in the list.
            #[inline]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed_list! {
    /// How an attempt ended. Only `ok` and `fault` say something about the provider.
    Outcome {
        Ok = "ok",
        Fault = "fault",
        RateLimited = "rate_limited",
        ClientError = "client_error",
        Cancelled = "cancelled",
        GatewayError = "gateway_error",
    }
}

closed_list! {
    /// Why an attempt did not end well.
    ErrorClass {
        Auth = "auth",
        Payment = "payment",
        NotFound = "not_found",
        Timeout = "timeout",
        Connection = "connection",
        Overloaded = "overloaded",
        ServerError = "server_error",
        /// Broken off in the middle.
        StreamError = "stream_error",
        /// A reply that finished with an error.
        ErrorFinish = "error_finish",
        RateLimit = "rate_limit",
        BadRequest = "bad_request",
        ContextLength = "context_length",
        ContentPolicy = "content_policy",
        TooLarge = "too_large",
        Geo = "geo",
        Unsupported = "unsupported",
        ClientDisconnect = "client_disconnect",
        GatewayAuth = "gateway_auth",
        UnknownModel = "unknown_model",
        Budget = "budget",
        Guardrail = "guardrail",
        GatewayInternal = "gateway_internal",
    }
}

closed_list! {
    /// Why an answer stopped.
    FinishReason {
        Stop = "stop",
        Length = "length",
        ToolCalls = "tool_calls",
        ContentFilter = "content_filter",
        Error = "error",
    }
}

impl ErrorClass {
    /// The outcome that each class belongs to.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Auth
            | Self::Payment
            | Self::NotFound
            | Self::Timeout
            | Self::Connection
            | Self::Overloaded
            | Self::ServerError
            | Self::StreamError
            | Self::ErrorFinish => Outcome::Fault,
            Self::RateLimit => Outcome::RateLimited,
            Self::BadRequest
            | Self::ContextLength
            | Self::ContentPolicy
            | Self::TooLarge
            | Self::Geo
            | Self::Unsupported => Outcome::ClientError,
            Self::ClientDisconnect => Outcome::Cancelled,
            Self::GatewayAuth
            | Self::UnknownModel
            | Self::Budget
            | Self::Guardrail
            | Self::GatewayInternal => Outcome::GatewayError,
        }
    }
}

impl Outcome {
    /// The class that stands for it when nothing more is known.
    pub const fn usual_class(self) -> Option<ErrorClass> {
        match self {
            Self::Ok => None,
            Self::Fault => Some(ErrorClass::ServerError),
            Self::RateLimited => Some(ErrorClass::RateLimit),
            Self::ClientError => Some(ErrorClass::BadRequest),
            Self::Cancelled => Some(ErrorClass::ClientDisconnect),
            Self::GatewayError => Some(ErrorClass::GatewayInternal),
        }
    }

    /// Whether an attempt was served: ended well, or was cancelled by the caller after delivery had begun. The first
    /// token came even when nobody counted it.
    #[inline]
    pub fn is_success(self, output_tokens: Option<i64>, has_first_token: bool) -> bool {
        match self {
            Self::Ok => true,
            Self::Cancelled => output_tokens.is_some_and(|tokens| tokens >= 1) || has_first_token,
            Self::Fault | Self::RateLimited | Self::ClientError | Self::GatewayError => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass, FinishReason, Outcome};

    #[test]
    fn every_word_leads_back_to_its_variant() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(*outcome));
            assert!(outcome.usual_class().is_none_or(|class| class.outcome() == *outcome), "{outcome}");
        }
        for class in ErrorClass::ALL {
            assert_eq!(ErrorClass::parse(class.as_str()), Some(*class));
            assert_ne!(class.outcome(), Outcome::Ok, "{class}");
        }
        for reason in FinishReason::ALL {
            assert_eq!(FinishReason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(
            (Outcome::parse("OK"), ErrorClass::parse(""), FinishReason::parse("eos")),
            (None, None, None)
        );
    }

    #[test]
    fn a_cancelled_call_counts_as_served_once_something_was_delivered() {
        let cancelled = |tokens, first| Outcome::Cancelled.is_success(tokens, first);
        assert_eq!(
            [
                cancelled(None, false),
                cancelled(Some(0), false),
                cancelled(Some(1), false),
                cancelled(None, true)
            ],
            [false, false, true, true]
        );
        assert!(Outcome::Ok.is_success(None, false));
        assert!(!Outcome::Fault.is_success(Some(9), true));
    }
}
