//! The address of a gateway: encrypted, or on this machine.

use deepsearch_auth::GatewayUrl;

#[test]
fn a_gateway_is_reached_encrypted_or_on_this_machine() {
    for (text, shown) in [
        ("https://sign-in.example.org", "https://sign-in.example.org"),
        ("https://sign-in.example.org/", "https://sign-in.example.org"),
        (" https://example.org:8443/team/ ", "https://example.org:8443/team"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("HTTPS://EXAMPLE.org", "https://example.org"),
    ] {
        assert_eq!(GatewayUrl::parse(text).unwrap().to_string(), shown);
    }
}

#[test]
fn anything_else_is_no_gateway() {
    for text in [
        "",
        "example.org",
        "http://example.org",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://10.0.0.1",
        "https://user@example.org",
        "https://user:password@example.org",
        "https://example.org/?next=x",
        "https://example.org/#x",
        "ftp://example.org",
        "javascript:alert(1)",
        "deepsearch://auth/callback",
        "https://",
        "file:///etc/passwd",
    ] {
        assert!(GatewayUrl::parse(text).is_err(), "{text}");
    }
}
