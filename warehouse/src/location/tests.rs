use super::*;

fn parsed(text: &str) -> Location {
    Location::parse(text).unwrap()
}

fn refused(text: &str) -> String {
    Location::parse(text).unwrap_err().to_string()
}

#[test]
fn plain_path_and_file_url_name_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let plain = parsed(dir.join("a b/w").to_str().unwrap());
    let url = parsed(&format!("file://{}/a%20b/w", dir.display()));
    assert_eq!(plain.folder(), Some(dir.join("a b/w").as_path()));
    assert_eq!(url, plain);
    assert_eq!(parsed(dir.join("x/../a b/./w").to_str().unwrap()), plain);
    assert_eq!(plain.to_string(), dir.join("a b/w").display().to_string());
}

#[test]
fn a_bucket_is_read_and_shown_as_one_url() {
    for (given, shown) in [
        ("s3://lake/logs/llm", "s3://lake/logs/llm"),
        ("S3://lake/logs/llm/", "s3://lake/logs/llm"),
        ("az://box", "az://box"),
        ("gs://my_bucket.example/", "gs://my_bucket.example"),
    ] {
        let location = parsed(given);
        assert_eq!(location.to_string(), shown);
        assert_eq!(parsed(shown), location);
        assert_eq!(location.folder(), None);
    }
}

#[test]
fn what_is_no_place_is_refused_by_name_and_without_its_secrets() {
    for text in ["http://x/y", "", "  ", "file://host/w", "s3:///prefix", "az://"] {
        let error = refused(text);
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
    for (text, what) in [
        ("s3://AKIA:sesame@lake/w", "profiles are not read"),
        ("s3://profile@lake/w", "profiles are not read"),
        ("s3://lake/w?sig=sesame", "a query or fragment"),
        ("s3://localhost:9000/lake", "`endpoint` of [warehouse.s3]"),
        ("s3://la ke/w", "no store allows"),
        ("s3://lake/a//b", "prefix of `s3://lake/a//b`"),
        ("s3://lake/../b", "prefix of"),
        ("ftp://me:sesame@host/w?sig=sesame", "`ftp://host/w` is no place"),
    ] {
        let error = refused(text);
        assert!(error.contains(what), "{error}");
        assert!(!error.contains("sesame") && !error.contains('\n'), "{error}");
    }
    assert!(Location::parse("./odd:name").is_ok());
}

#[test]
fn only_a_folder_has_something_beside_it_and_inside_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap().join("w");
    let folder = parsed(root.to_str().unwrap());
    let local = root.with_file_name("w-local").join("keys");
    assert_eq!(folder.local_sibling("keys"), Some(local.clone()));
    assert!(folder.contains(&root.join("attempts/../keys")).unwrap());
    assert!(!folder.contains(&local).unwrap());
    assert!(folder.shares_disk(&local));
    assert!(!folder.shares_disk(Path::new("/proc/self")));

    let bucket = parsed("s3://lake/w");
    assert_eq!(bucket.local_sibling("keys"), None);
    assert!(!bucket.contains(&root).unwrap());
    assert!(!bucket.shares_disk(&root));
}

#[test]
fn settings_that_cannot_work_are_named() {
    let s3 = |change: &dyn Fn(&mut S3)| {
        let mut s3 = S3::default();
        change(&mut s3);
        s3.validate()
    };
    assert_eq!(s3(&|_| {}), Ok(()));
    let endpoint =
        |url: &str, allow_http| s3(&|s3| (s3.endpoint, s3.allow_http) = (Some(url.to_owned()), allow_http));
    assert_eq!(endpoint("https://s3.example.com", false), Ok(()));
    assert_eq!(endpoint("http://127.0.0.1:9000", true), Ok(()));
    assert!(endpoint("http://127.0.0.1:9000", false).unwrap_err().contains("allow_http"));
    assert!(endpoint("127.0.0.1:9000", true).unwrap_err().contains("must be a URL"));
    assert!(endpoint("https://me:sesame@s3.example.com", true).unwrap_err().contains("no credentials"));
    assert!(s3(&|s3| s3.access_key_id = Some("AKIA".to_owned())).unwrap_err().contains("secret_file"));
}

#[test]
fn soft_deletion_that_cannot_be_seen_is_named_with_its_remedy() {
    assert_eq!(parsed("s3://lake/w").soft_delete(), None);
    assert_eq!(parsed("./lake").soft_delete(), None);
    assert!(parsed("az://lake/w").soft_delete().unwrap().contains("soft delete for blobs"));
    assert!(parsed("gs://lake/w").soft_delete().unwrap().contains("gs://lake --clear-soft-delete"));
}
