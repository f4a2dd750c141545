//! Row builders: one Arrow column builder per column, filled from a row struct.
//!
//! `row_builder!` lists a table's columns in schema order with the value each takes from a row; everything
//! else (memory count, batch) follows from the list.

use std::sync::Arc;

use arrow::array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int16Builder, Int32Builder,
    Int64Builder, ListBuilder, PrimitiveBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::array::{ArrayRef, ArrowPrimitiveType, RecordBatch};
use arrow::datatypes::{Field, SchemaRef};

/// A column being built.
pub(crate) trait Column {
    fn new(field: &Field) -> Self;
    fn finish(&mut self) -> ArrayRef;
}

/// Takes one value and returns the bytes it holds.
pub(crate) trait Push<V>: Column {
    fn push(&mut self, value: V) -> usize;
}

impl<T: ArrowPrimitiveType> Column for PrimitiveBuilder<T> {
    fn new(field: &Field) -> Self {
        Self::new().with_data_type(field.data_type().clone())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.finish())
    }
}

macro_rules! push_primitive {
    ($($builder:ty, $value:ty;)+) => { $(
        impl Push<$value> for $builder {
            #[inline]
            fn push(&mut self, value: $value) -> usize {
                self.append_value(value);
                size_of::<$value>()
            }
        }

        impl Push<Option<$value>> for $builder {
            #[inline]
            fn push(&mut self, value: Option<$value>) -> usize {
                self.append_option(value);
                size_of::<$value>()
            }
        }
    )+ };
}

push_primitive! {
    Int16Builder, i16;
    Int32Builder, i32;
    Int64Builder, i64;
    Float64Builder, f64;
    Date32Builder, i32;
    TimestampMicrosecondBuilder, i64;
    Decimal128Builder, i128;
}

impl Column for BooleanBuilder {
    fn new(_: &Field) -> Self {
        Self::new()
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.finish())
    }
}

impl Push<bool> for BooleanBuilder {
    #[inline]
    fn push(&mut self, value: bool) -> usize {
        self.append_value(value);
        1
    }
}

impl Push<Option<bool>> for BooleanBuilder {
    #[inline]
    fn push(&mut self, value: Option<bool>) -> usize {
        self.append_option(value);
        1
    }
}

impl Column for StringBuilder {
    fn new(_: &Field) -> Self {
        Self::new()
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.finish())
    }
}

impl Push<&str> for StringBuilder {
    #[inline]
    fn push(&mut self, value: &str) -> usize {
        self.append_value(value);
        size_of::<i32>() + value.len()
    }
}

impl Push<Option<&str>> for StringBuilder {
    #[inline]
    fn push(&mut self, value: Option<&str>) -> usize {
        self.append_option(value);
        size_of::<i32>() + value.map_or(0, str::len)
    }
}

impl Column for ListBuilder<StringBuilder> {
    fn new(field: &Field) -> Self {
        let builder = Self::new(StringBuilder::new());
        match field.data_type() {
            arrow::datatypes::DataType::List(element) => builder.with_field(Arc::clone(element)),
            _ => builder,
        }
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.finish())
    }
}

/// An empty list means none known: null.
impl Push<&[&str]> for ListBuilder<StringBuilder> {
    #[inline]
    fn push(&mut self, values: &[&str]) -> usize {
        for value in values {
            self.values().append_value(value);
        }
        self.append(!values.is_empty());
        size_of::<i32>() + values.iter().map(|value| size_of::<i32>() + value.len()).sum::<usize>()
    }
}

/// UTC date of an instant in µs, as days since 1970. Instants outside Arrow's calendar end at its edge.
pub(crate) fn day(instant_us: i64) -> i32 {
    const DAY_US: i64 = 86_400_000_000;
    let days = instant_us.div_euclid(DAY_US);
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

#[expect(clippy::expect_used, reason = "builders are made from the schema's fields and take one value a row")]
pub(crate) fn to_batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::clone(schema), columns)
        .expect("columns of the schema's types and of one length")
}

macro_rules! row_builder {
    (
        $(#[$doc:meta])*
        $name:ident for $row:ty as $r:ident, schema $schema:path;
        $( $column:ident: $builder:ty = $value:expr; )+
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            schema: arrow::datatypes::SchemaRef,
            rows: usize,
            bytes: usize,
            $( $column: $builder, )+
        }

        impl Default for $name {
            fn default() -> Self {
                let schema = $schema();
                let mut fields = schema.fields().iter();
                $(
                    let field = fields.next();
                    let $column = match field {
                        Some(field) if field.name() == stringify!($column) => {
                            <$builder as $crate::tables::rows::Column>::new(field)
                        }
                        other => unreachable!("column {} stands at {other:?}", stringify!($column)),
                    };
                )+
                assert!(fields.next().is_none(), "a column of the schema is not built");
                Self { schema, rows: 0, bytes: 0, $( $column, )+ }
            }
        }

        impl $name {
            pub fn push(&mut self, $r: &$row) {
                use $crate::tables::rows::Push as _;
                self.rows += 1;
                self.bytes += 0 $( + self.$column.push($value) )+;
            }

            pub fn len(&self) -> usize {
                self.rows
            }

            pub fn is_empty(&self) -> bool {
                self.rows == 0
            }

            /// Bytes held by the builder, for the memory budget.
            pub fn size_bytes(&self) -> usize {
                self.bytes
            }

            pub fn finish(&mut self) -> arrow::array::RecordBatch {
                self.rows = 0;
                self.bytes = 0;
                let columns = vec![ $( $crate::tables::rows::Column::finish(&mut self.$column) ),+ ];
                $crate::tables::rows::to_batch(&self.schema, columns)
            }
        }
    };
}
pub(crate) use row_builder;
