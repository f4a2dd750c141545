//! The counts and totals of one bucket, by the names of their columns.

use arrow::array::{ArrayRef, Decimal128Array, Int64Array};
use std::sync::Arc;

/// What adds up, whatever it is a sum of.
pub(super) trait Sums: Copy + Default {
    type Columns: Columns<Self>;

    fn add(&mut self, other: &Self);

    /// False for a bucket that is no row of the table.
    fn is_row(&self) -> bool;
}

/// Sums of many rows, column by column.
pub(super) trait Columns<S> {
    fn with_capacity(rows: usize) -> Self;

    fn push(&mut self, row: &S);

    /// A column, once. None when there is no such column.
    fn take(&mut self, name: &str) -> Option<ArrayRef>;
}

/// Declares a struct of sums whose fields are named like their columns, and the columns.
macro_rules! sums {
    (
        $(#[$doc:meta])* $name:ident in $columns:ident, row when $row:ident;
        $($field:ident)+; $($money:ident)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub(super) struct $name {
            $(pub $field: i64,)+
            $(pub $money: i128,)*
        }

        pub(super) struct $columns {
            $($field: Vec<i64>,)+
            $($money: Vec<i128>,)*
        }

        impl Sums for $name {
            type Columns = $columns;

            // Saturating: a log that claims absurd numbers must not stop the fold of all others.
            #[inline]
            fn add(&mut self, other: &Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)+
                $(self.$money = self.$money.saturating_add(other.$money);)*
            }

            fn is_row(&self) -> bool {
                self.$row > 0
            }
        }

        impl Columns<$name> for $columns {
            fn with_capacity(rows: usize) -> Self {
                Self {
                    $($field: Vec::with_capacity(rows),)+
                    $($money: Vec::with_capacity(rows),)*
                }
            }

            #[inline]
            fn push(&mut self, row: &$name) {
                $(self.$field.push(row.$field);)+
                $(self.$money.push(row.$money);)*
            }

            fn take(&mut self, name: &str) -> Option<ArrayRef> {
                match name {
                    $(stringify!($field) => {
                        Some(Arc::new(Int64Array::from(std::mem::take(&mut self.$field))))
                    })+
                    $(stringify!($money) => {
                        let values = Decimal128Array::from(std::mem::take(&mut self.$money));
                        Some(Arc::new(values.with_precision_and_scale(38, 9).ok()?))
                    })*
                    _ => None,
                }
            }
        }
    };
}

sums! {
    /// Of served requests.
    Usage in UsageColumns, row when requests;
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
    context_over_10m;
    cost_usd
}

sums! {
    /// Of attempts at a provider.
    Health in HealthColumns, row when attempts;
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
    output_tokens;
}
