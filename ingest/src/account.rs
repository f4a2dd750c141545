//! Account numbers in the names of models.
//!
//! At Bedrock a model may be named by its ARN, which holds the number of the account that it is called from. That
//! belongs to somebody and tells nothing of the model.

/// Stands for an account.
const BLANK: &str = "*";

/// The same name without account numbers: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/…` becomes
/// `arn:aws:bedrock:us-east-1:*:inference-profile/…`. None: there is none in it.
pub(crate) fn blanked(name: &str) -> Option<String> {
    // The same length, so that positions hold for both.
    let lower = name.to_ascii_lowercase();
    let (mut out, mut copied, mut from) = (String::new(), 0, 0);
    while let Some(found) = lower.get(from..).and_then(|rest| rest.find("arn")) {
        let at = from + found;
        from = at + "arn".len();
        let Some((start, end)) = account(&lower, at) else { continue };
        if lower.get(start..end) != Some(BLANK) {
            out.push_str(name.get(copied..start).unwrap_or_default());
            out.push_str(BLANK);
            copied = end;
        }
        from = end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(name.get(copied..).unwrap_or_default());
    Some(out)
}

/// Where the account of the ARN at `at` begins and ends. None: it is no ARN, or has none.
fn account(lower: &str, at: usize) -> Option<(usize, usize)> {
    let rest = lower.get(at + "arn".len()..)?;
    // A gateway may have encoded it as a part of a URL.
    let colon = [":", "%3a"].into_iter().find(|colon| rest.starts_with(colon))?;
    let mut start = at + "arn".len() + colon.len();
    if !lower.get(start..)?.starts_with("aws") {
        return None;
    }
    // Behind partition, service and region.
    for _ in 0..3 {
        start += lower.get(start..)?.find(colon)? + colon.len();
    }
    let rest = lower.get(start..)?;
    let length = [colon, "/", "%2f"].into_iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    (length > 0).then_some((start, start + length))
}

#[cfg(test)]
mod tests {
    use super::blanked;

    #[test]
    fn the_account_of_an_arn_is_blanked_wherever_it_stands_and_nothing_else_is() {
        for (name, want) in [
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0",
                "arn:aws:bedrock:us-east-1:*:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0",
            ),
            (
                "bedrock/converse/arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/x",
                "bedrock/converse/arn:aws-us-gov:bedrock:us-gov-west-1:*:provisioned-model/x",
            ),
            ("ARN:AWS:Bedrock:eu:1234:Model/É", "ARN:AWS:Bedrock:eu:*:Model/É"),
            (
                "bedrock/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fx",
                "bedrock/arn%3Aaws%3Abedrock%3Aus-east-1%3A*%3Ainference-profile%2Fx",
            ),
            ("arn:aws:bedrock:us-east-1:123456789012", "arn:aws:bedrock:us-east-1:*"),
            (
                "arn:aws:sagemaker:x:1:a,arn:aws:sagemaker:x:2:b",
                "arn:aws:sagemaker:x:*:a,arn:aws:sagemaker:x:*:b",
            ),
        ] {
            assert_eq!(blanked(name).as_deref(), Some(want));
            assert_eq!(blanked(want), None, "blanked once is enough");
        }
        for name in [
            "gpt-5",
            "learn:aws",
            "arn",
            "arn:",
            "arn:gcp:a:b:123456789012:c",
            "arn:aws:bedrock:us-east-1",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1",
        ] {
            assert_eq!(blanked(name), None, "{name}");
        }
    }
}
