use deepsearch_core::{ChatId, MessageId, PageId, UserId};
use uuid::Uuid;

#[test]
fn new_ids_have_the_seeds_prefix_and_rise_with_time() {
    for (id, prefix) in [
        (ChatId::new().to_string(), "chat_"),
        (MessageId::new().to_string(), "msg_"),
        (PageId::new().to_string(), "page_"),
        (UserId::new().to_string(), ""),
    ] {
        let uuid = id
            .strip_prefix(prefix)
            .and_then(|id| Uuid::parse_str(id).ok())
            .expect("a UUID behind the prefix");
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(id, id.to_lowercase());
    }
    let (first, second) = (ChatId::new(), ChatId::new());
    assert!(first < second);
}

#[test]
fn any_string_up_to_255_characters_is_read_as_an_id() {
    assert!(ChatId::parse("what the web app made").is_ok());
    assert!(ChatId::parse("ä".repeat(255)).is_ok());
    assert!(ChatId::parse("ä".repeat(256)).is_err());
    assert!(ChatId::parse("").is_err());
}
