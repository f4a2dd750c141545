//! What one page reads of its query, as a type: what is no field of it cannot be read there.

use super::state::{Param, State};

/// Some of the fields of [`State`], and the parameters that they come from.
pub trait Query: Clone {
    /// In canonical order.
    const PARAMS: &'static [Param];

    fn of(state: &State) -> Self;

    /// As links print it; what it does not have is at its default.
    fn state(&self) -> State;
}

/// Of a page that reads nothing.
impl Query for () {
    const PARAMS: &'static [Param] = &[];

    fn of(_: &State) -> Self {}

    fn state(&self) -> State {
        State::default()
    }
}

/// A query with fields of [`State`]; behind a plus sign, further parameters that a field comes from.
macro_rules! query {
    ($(#[$meta:meta])* $name:ident { $($field:ident $(+ $param:ident)*),+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $(pub $field: $crate::url::query!(@type $field)),+
        }

        impl $crate::url::Query for $name {
            const PARAMS: &'static [$crate::url::Param] =
                &[$($crate::url::query!(@param $field) $(, $crate::url::Param::$param)*),+];

            fn of(state: &$crate::url::State) -> Self {
                Self { $($field: Clone::clone(&state.$field)),+ }
            }

            fn state(&self) -> $crate::url::State {
                $crate::url::State { $($field: Clone::clone(&self.$field),)+ ..Default::default() }
            }
        }
    };
    (@type metric) => { $crate::data::Metric };
    (@type period) => { $crate::url::Period };
    (@type vs) => { $crate::url::Vs };
    (@type by) => { $crate::url::By };
    (@type variants) => { $crate::url::Variants };
    (@type author) => { Option<String> };
    (@type health) => { $crate::data::Span };
    (@type labels) => { Option<$crate::data::LabelPeriod> };
    (@type sort) => { Option<$crate::url::Sort> };
    (@type view) => { $crate::url::View };
    (@type all_rows) => { bool };
    (@type $number:ident) => { u32 };
    (@param metric) => { $crate::url::Param::Metric };
    (@param period) => { $crate::url::Param::Period };
    (@param vs) => { $crate::url::Param::Vs };
    (@param by) => { $crate::url::Param::By };
    (@param variants) => { $crate::url::Param::Variants };
    (@param author) => { $crate::url::Param::Author };
    (@param health) => { $crate::url::Param::Window };
    (@param labels) => { $crate::url::Param::LabelWindow };
    (@param sort) => { $crate::url::Param::Sort };
    (@param view) => { $crate::url::Param::View };
    (@param all_rows) => { $crate::url::Param::N };
    (@param skip) => { $crate::url::Param::Skip };
    (@param limit) => { $crate::url::Param::Limit };
    (@param offset) => { $crate::url::Param::Offset };
}
pub(crate) use query;
