//! Canonical addresses: two addresses of one page compare equal, so that it is read, counted and cached once.
//!
//! For comparison and cache keys only: what is fetched is always the original. Where a rule could merge two
//! different pages, it is left out: a page read twice costs less than a page never read.

use url::Url;

/// The address that all addresses of one page share: `https`, without `www.`, mobile and AMP variants, default port,
/// trailing slash, fragment and tracking parameters, the query sorted. Other schemes only lose their fragment.
pub fn canonical_url(url: &Url) -> String {
    let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
        let mut local = url.clone();
        local.set_fragment(None);
        return local.into();
    };
    if let Some(original) = amp_original(url, host) {
        return canonical_url(&original);
    }
    let mut canonical = format!("https://{}", canonical_host(host));
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        canonical.push_str(&format!(":{port}"));
    }
    canonical.push_str(&canonical_path(url.path()));
    let query = canonical_query(url.query().unwrap_or_default());
    if !query.is_empty() {
        canonical.push('?');
        canonical.push_str(&query);
    }
    // `#!/inbox` and `#/inbox` are how some single-page sites write their paths.
    if let Some(route) = url.fragment().filter(|fragment| fragment.starts_with(['!', '/'])) {
        canonical.push('#');
        canonical.push_str(route);
    }
    canonical
}

/// A host without the prefixes that lead to the same site.
pub(crate) fn canonical_host(host: &str) -> String {
    let host = host.trim_end_matches('.');
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host.into();
    }
    let host = ["www.", "m.", "mobile.", "amp."]
        .iter()
        .find_map(|prefix| host.strip_prefix(prefix).filter(|rest| is_site(rest)))
        .unwrap_or(host);
    // Wikipedia and its sisters write `de.m.wikipedia.org`.
    match host.split_once(".m.") {
        Some((language, site)) if !language.contains('.') && is_site(site) => format!("{language}.{site}"),
        _ => host.into(),
    }
}

/// Whether what is left of a host can still be a site of its own: `m.co.uk` must not become `co.uk`.
fn is_site(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let (Some(top), Some(second)) = (labels.next(), labels.next()) else {
        return false;
    };
    let is_public_suffix = top.len() == 2
        && matches!(
            second,
            "ac" | "co" | "com" | "edu" | "go" | "gob" | "gov" | "gv" | "ne" | "net" | "nom" | "or" | "org"
        );
    labels.next().is_some() || !is_public_suffix
}

/// The page behind an address of an AMP cache (`www.google.com/amp/s/…`, `*.cdn.ampproject.org/c/s/…`).
fn amp_original(url: &Url, host: &str) -> Option<Url> {
    let path = url.path();
    let rest = if host.ends_with(".cdn.ampproject.org") {
        path.strip_prefix("/c/").or_else(|| path.strip_prefix("/v/"))?
    } else if canonical_host(host).starts_with("google.") {
        path.strip_prefix("/amp/")?
    } else {
        return None;
    };
    let mut original = Url::parse(&format!("https://{}", rest.strip_prefix("s/").unwrap_or(rest))).ok()?;
    original.host_str().filter(|host| host.contains('.'))?;
    original.set_query(url.query());
    Some(original)
}

fn canonical_path(path: &str) -> String {
    let path = decode_unreserved(path);
    let path = match path.find(";jsessionid=") {
        Some(at) => &path[..at],
        None => &path,
    };
    let path = path
        .strip_suffix("/index.html")
        .or_else(|| path.strip_suffix("/index.htm"))
        .unwrap_or(path);
    let path = path.trim_end_matches('/');
    if let Some(article) = path.strip_suffix(".amp.html") {
        return format!("{article}.html");
    }
    let path = match path.strip_suffix("/amp") {
        // Only below what looks like an article: `/wiki/amp` is about the unit, `/2024/a-title/amp` is a variant.
        Some(article) if article.rsplit('/').next().is_some_and(is_slug) => article,
        _ => path,
    };
    path.into()
}

fn is_slug(segment: &str) -> bool {
    segment.contains('-') || segment.bytes().any(|byte| byte.is_ascii_digit())
}

/// Percent-escapes of characters that need none are written plainly, all others with upper-case digits (RFC 3986 §6.2.2).
fn decode_unreserved(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let escape = rest
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => plain.push(byte.into()),
            Some(byte) => plain.push_str(&format!("%{byte:02X}")),
            None => {
                plain.push('%');
                rest = &rest[at + 1..];
                continue;
            }
        }
        rest = &rest[at + 3..];
    }
    plain.push_str(rest);
    plain
}

fn canonical_query(query: &str) -> String {
    let query = decode_unreserved(query);
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !pair.is_empty() && !is_tracking(&name.to_ascii_lowercase(), value)
        })
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Whether a parameter says where a reader came from, or how a page is drawn, not which page it is.
fn is_tracking(name: &str, value: &str) -> bool {
    const TRACKING: &[&str] = &[
        "_ga",
        "_gl",
        "_hsenc",
        "_hsmi",
        "cmpid",
        "dclid",
        "fb_action_ids",
        "fb_action_types",
        "fbclid",
        "gbraid",
        "gclid",
        "gclsrc",
        "hsctatracking",
        "igsh",
        "igshid",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "msclkid",
        "ncid",
        "oly_anon_id",
        "oly_enc_id",
        "ref",
        "ref_src",
        "ref_url",
        "s_cid",
        "spm",
        "srsltid",
        "ttclid",
        "twclid",
        "vero_id",
        "wbraid",
        "yclid",
    ];
    name.starts_with("utm_")
        || TRACKING.binary_search(&name).is_ok()
        || (name == "amp" && matches!(value, "" | "1" | "true"))
        || (name == "outputtype" && value == "amp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_may_be_called_amp() {
        assert_eq!(canonical_path("/wiki/amp"), "/wiki/amp");
        assert_eq!(canonical_path("/2024/05/a-title/amp/"), "/2024/05/a-title");
    }

    #[test]
    fn a_public_suffix_is_no_site() {
        assert_eq!(canonical_host("m.co.uk"), "m.co.uk");
        assert_eq!(canonical_host("m.bbc.co.uk"), "bbc.co.uk");
        assert_eq!(canonical_host("www.com"), "www.com");
    }
}
