use deepsearch_core::{ErrorCode, Failure, FetchError, ModelError, SearchError};

#[test]
fn a_failure_says_what_to_do_next() {
    let refused = Failure::from(&SearchError::KeyRefused { engine: "brave".into() });
    assert_eq!(refused.code, ErrorCode::KeyRefused);
    assert!(refused.hint.unwrap().contains("engines.brave.key"));
    let unknown = Failure::from(&ModelError::Unknown { model: "x/y".into() });
    assert!(unknown.hint.unwrap().contains("deepsearch models"));
}

#[test]
fn a_failure_names_whom_it_happened_with_for_faces_that_speak_another_language() {
    let subject = |failure: Failure| failure.subject;
    let engine = SearchError::Captcha {
        engine: "duckduckgo".into(),
    };
    assert_eq!(subject(Failure::from(&engine)).as_deref(), Some("duckduckgo"));
    let provider = ModelError::KeyRefused {
        provider: "openai".into(),
    };
    assert_eq!(subject(Failure::from(&provider)).as_deref(), Some("openai"));
    let page = |url: &str| FetchError::Empty {
        url: url.parse().unwrap(),
    };
    assert_eq!(
        subject(Failure::from(&page("https://example.org/a?b"))).as_deref(),
        Some("example.org")
    );
    assert_eq!(
        subject(Failure::from(&page("deepsearch-file://some-id/a.txt"))),
        None,
        "not the web"
    );
}

#[test]
fn a_failure_that_was_kept_before_it_had_a_subject_can_still_be_read() {
    let kept: Failure = serde_json::from_str(r#"{"code":"offline","message":"No.","hint":null}"#).unwrap();
    assert_eq!(kept, Failure::new(ErrorCode::Offline, "No."));
    assert!(!serde_json::to_string(&kept).unwrap().contains("subject"));
}
