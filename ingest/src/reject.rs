//! Why a record could not become rows, told without any of its text.

/// Closed list of reasons; `rejects.reason` holds `as_str`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    MalformedJson,
    WrongType,
    MissingField,
    /// What tells the record from all others is missing or cannot be read.
    MissingIdentity,
    InvalidValue,
    TimeOutOfRange,
    TooLarge,
    NotUtf8,
    Truncated,
    UnknownFormat,
    Gap,
}

impl Reason {
    pub const ALL: [Self; 11] = [
        Self::MalformedJson,
        Self::WrongType,
        Self::MissingField,
        Self::MissingIdentity,
        Self::InvalidValue,
        Self::TimeOutOfRange,
        Self::TooLarge,
        Self::NotUtf8,
        Self::Truncated,
        Self::UnknownFormat,
        Self::Gap,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::WrongType => "wrong_type",
            Self::MissingField => "missing_field",
            Self::MissingIdentity => "missing_identity",
            Self::InvalidValue => "invalid_value",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::Truncated => "truncated",
            Self::UnknownFormat => "unknown_format",
            Self::Gap => "gap",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A record that could not become rows. Holds keys, types, lengths and numbers of it, never its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub reason: Reason,
    /// Names the field and the place: `attempts[1].input_tokens: negative number -5`.
    pub detail: String,
    /// `native`, `litellm`, …; `unknown` where the format could not be told.
    pub source: String,
    pub size_bytes: u64,
    /// The record's redacted shape; None when it could not be read as JSON.
    pub skeleton: Option<String>,
}

impl Reject {
    pub fn new(reason: Reason, detail: impl Into<String>, source: &str, size_bytes: usize) -> Self {
        Self {
            reason,
            detail: detail.into(),
            source: source.to_owned(),
            size_bytes: size_bytes as u64,
            skeleton: None,
        }
    }

    /// A run of zero bytes, which stands for no record.
    pub(crate) fn zeros(size_bytes: u64, at: u64, source: &str) -> Self {
        let detail = format!("{size_bytes} zero bytes at byte {at}");
        Self { size_bytes, ..Self::new(Reason::MalformedJson, detail, source, 0) }
    }
}
