use deepsearch_core::{ErrorCode, Failure, ModelError, SearchError};

#[test]
fn a_failure_says_what_to_do_next() {
    let refused = Failure::from(&SearchError::KeyRefused { engine: "brave".into() });
    assert_eq!(refused.code, ErrorCode::KeyRefused);
    assert!(refused.hint.unwrap().contains("engines.brave.key"));
    let unknown = Failure::from(&ModelError::Unknown { model: "x/y".into() });
    assert!(unknown.hint.unwrap().contains("deepsearch models"));
}
