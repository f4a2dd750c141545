//! What the traffic at one place comes to in one period.

/// Declares the counts; each can be asked for by its name.
macro_rules! tally {
    ($($count:ident)+) => {
        /// Counts of attempts, requests and tokens. They add up over periods and places. Those of usage are of served
        /// requests, those of health of attempts at the provider, with the words that METRICS give to both.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $(pub $count: i64,)+
            /// Of all attempts, 10⁻⁹ USD.
            pub cost_usd: i128,
            /// The part of it for attempts that were not served.
            pub unserved_cost_usd: i128,
        }

        impl Tally {
            pub fn add(&mut self, other: &Self) {
                $(self.$count += other.$count;)+
                self.cost_usd += other.cost_usd;
                self.unserved_cost_usd += other.unserved_cost_usd;
            }

            /// None when no money is counted under this name.
            pub fn money(name: &str) -> Option<fn(&Self) -> i128> {
                match name {
                    "cost_usd" => Some(|tally| tally.cost_usd),
                    "unserved_cost_usd" => Some(|tally| tally.unserved_cost_usd),
                    _ => None,
                }
            }

            /// None when nothing is counted under this name.
            pub fn count(name: &str) -> Option<fn(&Self) -> i64> {
                match name {
                    $(stringify!($count) => Some(|tally| tally.$count),)+
                    _ => None,
                }
            }
        }
    };
}

tally! {
    requests
    gateway_cache_hits
    streamed_requests
    requests_with_user
    input_tokens
    cached_input_tokens
    cache_write_tokens
    output_tokens
    reasoning_tokens
    unpriced_requests
    unpriced_tokens
    input_images
    input_audio
    input_video
    output_images
    tool_calls
    web_searches
    requests_image_in
    requests_image_out
    requests_audio_in
    requests_tool_call
    context_1k
    context_10k
    context_100k
    context_1m
    context_10m
    context_over_10m

    attempts
    ok
    fault
    rate_limited
    client_error
    cancelled
    cancelled_delivered
    gateway_error
    fault_auth
    fault_payment
    fault_not_found
    fault_timeout
    fault_connection
    fault_overloaded
    fault_server_error
    fault_stream_error
    fault_error_finish
    client_bad_request
    client_context_length
    client_content_policy
    client_too_large
    client_geo
    client_unsupported
    tool_finishes
    tool_error_requests
    prose_instead_of_call
    structured_requested
    structured_invalid
    refused
    content_filtered
    billed_output_tokens_cancelled

    all_requests
    first_attempts
    population
    routed_ok
    first_ok
    requests_with_rate_limits
    routed_ok_with_rate_limits
    first_ok_with_rate_limits

    measured_ttft
    measured_duration
    measured_e2e
    measured_decode
    measured_overhead
}
