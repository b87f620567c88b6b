use deepsearch_core::validate::message_content;
use deepsearch_core::{MessageMetadata, Role, Source, TokenUsage};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case::empty("", false)]
#[case::white("  \n", false)]
#[case::one("a", true)]
fn content_says_something(#[case] content: &str, #[case] valid: bool) {
    assert_eq!(message_content(content).is_ok(), valid);
}

#[test]
fn content_holds_100000_utf16_units_which_both_programs_can_write() {
    assert!(message_content(&"a".repeat(100_000)).is_ok());
    assert!(message_content(&"a".repeat(100_001)).is_err());
    // A character outside of the basic plane is two units.
    assert!(message_content(&"𝄞".repeat(50_000)).is_ok());
    assert!(message_content(&"𝄞".repeat(50_001)).is_err());
}

#[test]
fn metadata_has_the_seeds_names_and_keeps_what_it_does_not_know() {
    let text = json!({
        "searchQuery": "q", "crawledUrls": ["https://a.example/"], "model": "m",
        "tokens": { "prompt": 1, "completion": 2, "total": 3 }, "processingTime": 4.5, "theirs": { "deep": [1] }
    });
    let metadata: MessageMetadata = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(
        metadata.tokens,
        Some(TokenUsage {
            prompt: 1,
            completion: 2,
            total: 3
        })
    );
    assert_eq!(metadata.other["theirs"], json!({ "deep": [1] }));
    assert_eq!(serde_json::to_value(&metadata).unwrap(), text);
    assert_eq!(serde_json::to_value(MessageMetadata::default()).unwrap(), json!({}));
}

#[test]
fn tokens_are_booked_to_the_model_that_they_were_spent_on() {
    let tokens = |prompt, completion| TokenUsage {
        prompt,
        completion,
        total: prompt + completion,
    };
    let of = |model: &str| MessageMetadata {
        model: Some(model.into()),
        ..MessageMetadata::default()
    };
    let mut first = of("openai/x");
    first.book(None, tokens(50, 5));
    assert_eq!(first.tokens, Some(tokens(50, 5)));
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(json.get("tokensByModel"), None, "the seed's fields say it all");

    let mut again = of("openai/x");
    again.book(Some(&first), tokens(10, 1));
    assert_eq!(again.tokens, Some(tokens(60, 6)));
    assert!(again.tokens_by_model.is_empty());

    let mut other = of("ollama/y");
    other.book(Some(&again), tokens(7, 1));
    assert_eq!(other.tokens, Some(tokens(67, 7)));
    let json = serde_json::to_value(&other).unwrap();
    assert_eq!(json["tokensByModel"]["openai/x"]["prompt"], 60);
    assert_eq!(json["tokensByModel"]["ollama/y"]["prompt"], 7);

    let mut silent = of("ollama/z");
    silent.book(Some(&first), TokenUsage::default());
    assert_eq!(silent.spent(), [("openai/x".to_owned(), tokens(50, 5))].into());
    let mut nothing = of("ollama/z");
    nothing.book(None, TokenUsage::default());
    assert_eq!(nothing, of("ollama/z"));
}

#[test]
fn tokens_and_times_are_never_negative() {
    assert!(serde_json::from_value::<TokenUsage>(json!({ "prompt": -1, "completion": 0, "total": 0 })).is_err());
    let late = MessageMetadata {
        processing_time: Some(-1.0),
        ..MessageMetadata::default()
    };
    assert!(late.validate().is_err());
}

#[test]
fn a_source_has_an_address_and_may_have_a_favicon() {
    let source = |url: &str, favicon: Option<&str>| Source {
        title: "t".into(),
        url: url.into(),
        snippet: String::new(),
        favicon: favicon.map(str::to_owned),
    };
    assert!(
        source("https://a.example/", Some("https://a.example/f.ico"))
            .validate()
            .is_ok()
    );
    assert!(source("guide:searxng", None).validate().is_ok());
    assert!(source("not an address", None).validate().is_err());
    assert!(source("https://a.example/", Some("f.ico")).validate().is_err());
}

#[test]
fn there_are_three_roles() {
    assert_eq!("assistant".parse::<Role>(), Ok(Role::Assistant));
    assert!("tool".parse::<Role>().is_err());
}
