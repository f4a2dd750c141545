//! Attempts by outcome and error class, and the uptime and state that follow from them.

use super::figure::{Figure, NotEnough, Thresholds};
use super::totals::ratio;

macro_rules! counts {
    ($($field:ident),+ $(,)?) => {
        /// Attempts by outcome; the error classes of METRICS as columns of their own.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $(pub $field: u64,)+ }

        /// Column names, in the order of [`Counts`].
        pub(crate) const COLUMNS: &[&str] = &[$(stringify!($field)),+];

        impl Counts {
            pub fn add(&mut self, other: &Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)+
            }

            /// From values in the order of [`COLUMNS`].
            pub(crate) fn from_values(mut values: impl Iterator<Item = u64>) -> Self {
                Self { $($field: values.next().unwrap_or(0),)+ }
            }
        }
    };
}

counts!(
    attempts,
    ok,
    fault,
    rate_limited,
    client_error,
    cancelled,
    cancelled_delivered,
    gateway_error,
    fault_auth,
    fault_payment,
    fault_not_found,
    fault_timeout,
    fault_connection,
    fault_overloaded,
    fault_server_error,
    fault_stream_error,
    fault_error_finish,
    client_bad_request,
    client_context_length,
    client_content_policy,
    client_too_large,
    client_geo,
    client_unsupported,
    tool_finishes,
    tool_error_requests,
    prose_instead_of_call,
    structured_requested,
    structured_invalid,
    refused,
    content_filtered,
    billed_output_tokens_cancelled,
    output_tokens,
);

impl Counts {
    /// Attempts that count as success: ended ok, or cancelled by the caller after delivery began.
    pub fn success(&self) -> u64 {
        self.ok + self.cancelled_delivered
    }

    /// Attempts that count for uptime: success + fault.
    pub fn counted(&self) -> u64 {
        self.success() + self.fault
    }

    /// Uptime in percent.
    pub fn uptime(&self, thresholds: &Thresholds) -> Figure<f64> {
        let counted = self.counted();
        if counted < thresholds.counted_attempts.max(1) {
            return Err(NotEnough::counts(counted, thresholds.counted_attempts.max(1)));
        }
        Ok(self.success() as f64 * 100.0 / counted as f64)
    }

    pub fn state(&self, thresholds: &Thresholds) -> State {
        match self.uptime(thresholds) {
            Err(_) => State::NoData,
            Ok(uptime) => State::of(uptime),
        }
    }

    /// Share of all attempts that were rate limited (429), 0 to 1.
    pub fn rate_limit_rate(&self) -> Option<f64> {
        ratio(self.rate_limited, self.attempts)
    }

    /// Requests with an invalid tool call / requests that finished with tool calls, 0 to 1.
    pub fn tool_error_rate(&self) -> Option<f64> {
        ratio(self.tool_error_requests, self.tool_finishes)
    }

    /// Every class that can fail with its count, in the order of METRICS: (class, label, count, counts as fault).
    pub fn mix(&self) -> [ErrorClass; 16] {
        let class = |class, label, n, fault| ErrorClass { class, label, n, fault };
        [
            class("auth", "Authentication, 401", self.fault_auth, true),
            class("payment", "Payment, 402", self.fault_payment, true),
            class("not_found", "Not found, 404", self.fault_not_found, true),
            class("timeout", "Time-out", self.fault_timeout, true),
            class("connection", "Connection", self.fault_connection, true),
            class("overloaded", "Overloaded, 503 and 529", self.fault_overloaded, true),
            class("server_error", "Server error, other 5xx", self.fault_server_error, true),
            class("stream_error", "Broken mid-stream", self.fault_stream_error, true),
            class("error_finish", "Error finish", self.fault_error_finish, true),
            class("rate_limit", "Rate limited, 429", self.rate_limited, false),
            class("bad_request", "Bad request, 400 and 422", self.client_bad_request, false),
            class("context_length", "Context length", self.client_context_length, false),
            class("content_policy", "Content policy", self.client_content_policy, false),
            class("too_large", "Too large, 413", self.client_too_large, false),
            class("geo", "Region refused, 403", self.client_geo, false),
            class("unsupported", "Unsupported", self.client_unsupported, false),
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorClass {
    /// As stored in `error_class`.
    pub class: &'static str,
    pub label: &'static str,
    pub n: u64,
    /// False: outside uptime.
    pub fault: bool,
}

/// State of a provider, model or endpoint, from its 30-minute window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Down,
    Degraded,
    Operational,
    NoData,
}

impl State {
    /// Lower bounds in percent.
    pub const OPERATIONAL: f64 = 95.0;
    pub const DEGRADED: f64 = 80.0;

    pub fn of(uptime: f64) -> Self {
        if uptime >= Self::OPERATIONAL {
            Self::Operational
        } else if uptime >= Self::DEGRADED {
            Self::Degraded
        } else {
            Self::Down
        }
    }

    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Operational => "operational",
            Self::NoData => "no_data",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Degraded => "Degraded",
            Self::Operational => "Operational",
            Self::NoData => "No data",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::Profile;
    use super::*;

    #[test]
    fn uptime_counts_delivered_cancels_as_success_and_leaves_limits_out() {
        let counts = Counts {
            attempts: 1_200,
            ok: 900,
            cancelled: 60,
            cancelled_delivered: 50,
            fault: 50,
            rate_limited: 100,
            client_error: 90,
            ..Counts::default()
        };
        let thresholds = Profile::Public.thresholds();
        assert_eq!(counts.counted(), 1_000);
        assert_eq!(counts.uptime(&thresholds), Ok(95.0));
        assert_eq!(counts.state(&thresholds), State::Operational);
    }

    #[test]
    fn ninety_nine_counted_attempts_are_not_enough() {
        let counts = Counts { attempts: 99, ok: 99, ..Counts::default() };
        let thresholds = Profile::Public.thresholds();
        assert_eq!(counts.uptime(&thresholds), Err(NotEnough::counts(99, 100)));
        assert_eq!(counts.state(&thresholds), State::NoData);
    }

    #[test]
    fn states_follow_their_bounds() {
        assert_eq!(State::of(95.0), State::Operational);
        assert_eq!(State::of(94.999), State::Degraded);
        assert_eq!(State::of(80.0), State::Degraded);
        assert_eq!(State::of(79.999), State::Down);
    }
}
