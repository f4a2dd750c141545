//! Errors and what caused them.

/// Whether an error, or one of its causes, is that the store has no such file.
pub fn is_missing_file(error: &(dyn std::error::Error + 'static)) -> bool {
    use object_store::Error as StoreError;
    let mut cause = Some(error);
    while let Some(error) = cause {
        let boxed = error.downcast_ref::<Box<StoreError>>().map(AsRef::as_ref);
        if matches!(error.downcast_ref::<StoreError>().or(boxed), Some(StoreError::NotFound { .. })) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error and its causes, one after the other.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some libraries write the cause into the text as well.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use object_store::Error as StoreError;

    use super::*;
    use crate::error::Error;

    #[test]
    fn a_cause_that_the_text_ends_with_is_not_told_twice() {
        let store = StoreError::Generic { store: "S3", source: "503 (SlowDown)".into() };
        let error = Error::Unreadable { path: "s3://lake/w/f".to_owned(), source: Box::new(store) };
        let text = chain(&error);
        assert!(text.starts_with("cannot read `s3://lake/w/f`; check the bucket's name"), "{text}");
        assert!(text.ends_with(": Generic S3 error: 503 (SlowDown)"), "{text}");
        assert_eq!(text.matches("SlowDown").count(), 1);
    }
}
