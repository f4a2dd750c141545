//! What goes wrong with a call, and how it shows in a log.

use crate::chance::Chance;
use crate::outages::Cause;

#[derive(Clone, Copy)]
pub(crate) struct Trouble {
    pub outcome: &'static str,
    pub class: &'static str,
    pub http_status: Option<i16>,
    pub duration_ms: (f64, f64),
    /// Tokens had begun to arrive.
    pub partial: bool,
    pub finish_reason: Option<&'static str>,
    /// Whether another endpoint may do better.
    pub falls_back: bool,
}

pub(crate) fn rate_limited(chance: &mut Chance) -> Trouble {
    Trouble {
        duration_ms: (25.0, 400.0 + 400.0 * chance.unit()),
        ..plain("rate_limited", "rate_limit", Some(429))
    }
}

/// A fault counted against the provider. The mix depends on what is wrong.
pub(crate) fn fault(cause: Option<Cause>, streamed: bool, chance: &mut Chance) -> Trouble {
    // Chances of server_error, overloaded, timeout, connection, stream_error, error_finish, not_found, auth
    // and payment, in this order.
    let mix: [u32; 9] = match cause {
        Some(Cause::Overload) => [20, 55, 17, 3, 4, 1, 0, 0, 0],
        Some(Cause::Crash) => [52, 5, 5, 30, 8, 0, 0, 0, 0],
        Some(Cause::Slowness) => [5, 8, 75, 2, 10, 0, 0, 0, 0],
        Some(Cause::Credentials) => [0, 0, 0, 0, 0, 0, 5, 65, 30],
        Some(Cause::Storm) | None => [34, 24, 18, 10, 8, 4, 1, 1, 0],
    };
    let mut at = chance.below(mix.iter().sum());
    let mut which = 0;
    for (index, weight) in mix.iter().enumerate() {
        which = index;
        if at < *weight {
            break;
        }
        at -= weight;
    }
    let either = |a: i16, b: i16, chance: &mut Chance| Some(if chance.happens(0.6) { a } else { b });
    let failed = |class, status| plain("fault", class, status);
    match which {
        0 => Trouble { duration_ms: (60.0, 9_000.0), ..failed("server_error", either(500, 502, chance)) },
        1 => Trouble { duration_ms: (80.0, 2_500.0), ..failed("overloaded", either(503, 529, chance)) },
        2 => Trouble { duration_ms: (30_000.0, 120_000.0), ..failed("timeout", either(504, 408, chance)) },
        3 => Trouble { duration_ms: (15.0, 5_000.0), ..failed("connection", None) },
        // A reply that was not streamed cannot break in its middle.
        4 if streamed => {
            Trouble { duration_ms: (50.0, 3_000.0), partial: true, ..failed("stream_error", Some(200)) }
        }
        4 => Trouble { duration_ms: (60.0, 9_000.0), ..failed("server_error", Some(502)) },
        5 => Trouble {
            duration_ms: (50.0, 3_000.0),
            partial: true,
            finish_reason: Some("error"),
            ..failed("error_finish", Some(200))
        },
        6 => failed("not_found", Some(404)),
        7 => failed("auth", Some(401)),
        _ => failed("payment", Some(402)),
    }
}

/// The caller's own mistake: the same at every endpoint, so there is no fallback.
pub(crate) fn client_error(chance: &mut Chance) -> Trouble {
    let (class, status) = match chance.below(20) {
        0..=9 => ("bad_request", 400),
        10..=13 => ("context_length", 400),
        14 | 15 => ("content_policy", 400),
        16 | 17 => ("unsupported", 400),
        18 => ("too_large", 413),
        _ => ("geo", 403),
    };
    Trouble { falls_back: false, ..plain("client_error", class, Some(status)) }
}

fn plain(outcome: &'static str, class: &'static str, http_status: Option<i16>) -> Trouble {
    Trouble {
        outcome,
        class,
        http_status,
        duration_ms: (30.0, 400.0),
        partial: false,
        finish_reason: None,
        falls_back: true,
    }
}
