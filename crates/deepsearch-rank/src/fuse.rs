//! Fusion: the lists of many engines and queries become one, and no site takes it over.

use std::collections::{BTreeMap, HashMap};

use deepsearch_core::SearchHit;
use url::Url;

use crate::canonical::{canonical_host, canonical_url};

/// The constant of reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, found 60 and little sensitivity.
const K: f64 = 60.0;

/// Reciprocal rank fusion of ranked lists, best first. Hits with one canonical address become one, with the fullest
/// title and snippet of them. The order of the lists makes no difference.
pub fn fuse(lists: &[Vec<SearchHit>]) -> Vec<SearchHit> {
    let mut pages: BTreeMap<String, Vec<(usize, usize, &SearchHit)>> = BTreeMap::new();
    for (list, hits) in lists.iter().enumerate() {
        for (rank, hit) in hits.iter().enumerate() {
            pages.entry(page_key(&hit.url)).or_default().push((rank, list, hit));
        }
    }
    let mut fused: Vec<(f64, usize, String, SearchHit)> = pages
        .into_iter()
        .map(|(key, found)| (score(&found), best_rank(&found), key, merge(&found)))
        .collect();
    fused.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2)));
    fused.into_iter().map(|(_, _, _, hit)| hit).collect()
}

/// The first `limit` hits with at most `max_per_host` of one site. Where that leaves room, the hits passed over come
/// after all: diversity chooses between pages, it does not leave places empty. Local addresses are not limited.
pub fn pick(hits: Vec<SearchHit>, limit: usize, max_per_host: usize) -> Vec<SearchHit> {
    let mut per_host: HashMap<String, usize> = HashMap::new();
    let (mut picked, mut passed_over) = (Vec::new(), Vec::new());
    for hit in hits {
        let count = web_host(&hit.url).map(|host| per_host.entry(host).or_default());
        match count {
            Some(count) if *count >= max_per_host => passed_over.push(hit),
            Some(count) => {
                *count += 1;
                picked.push(hit);
            }
            None => picked.push(hit),
        }
    }
    picked.extend(passed_over);
    picked.truncate(limit);
    picked
}

fn page_key(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.trim().into(), |url| canonical_url(&url))
}

fn web_host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.host_str().map(canonical_host)
}

/// Each list counts once for a page, by the best place it gives it.
fn score(found: &[(usize, usize, &SearchHit)]) -> f64 {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    for (rank, list, _) in found {
        best.entry(*list)
            .and_modify(|known| *known = (*known).min(*rank))
            .or_insert(*rank);
    }
    // Summed in the order of rank, so that rounding does not depend on the order of the lists.
    let mut ranks: Vec<usize> = best.into_values().collect();
    ranks.sort_unstable();
    ranks.iter().map(|rank| 1.0 / (K + 1.0 + *rank as f64)).sum()
}

fn best_rank(found: &[(usize, usize, &SearchHit)]) -> usize {
    found.iter().map(|(rank, _, _)| *rank).min().unwrap_or(usize::MAX)
}

fn merge(found: &[(usize, usize, &SearchHit)]) -> SearchHit {
    let mut hits: Vec<(usize, &SearchHit)> = found.iter().map(|(rank, _, hit)| (*rank, *hit)).collect();
    // By rank, then by everything else, so that ties do not fall by the order of the lists.
    hits.sort_by(|(rank_a, a), (rank_b, b)| {
        let key = |hit: &SearchHit| (!hit.url.starts_with("https:"), hit.url.len());
        rank_a
            .cmp(rank_b)
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| (&a.url, &a.title, &a.snippet).cmp(&(&b.url, &b.title, &b.snippet)))
            .then_with(|| (&a.favicon, a.published_at).cmp(&(&b.favicon, b.published_at)))
    });
    // A title that was not cut says most; of a snippet, more is more.
    let title = fullest(hits.iter().map(|(_, hit)| hit.title.trim()), |title| {
        (!is_cut(title), title.len())
    });
    let snippet = fullest(hits.iter().map(|(_, hit)| hit.snippet.trim()), |snippet| {
        (true, snippet.len())
    });
    SearchHit {
        title,
        url: hits[0].1.url.clone(),
        snippet,
        favicon: hits.iter().find_map(|(_, hit)| hit.favicon.clone()),
        published_at: hits.iter().find_map(|(_, hit)| hit.published_at),
    }
}

/// The first of the texts with the greatest key; an empty one only where there is no other.
fn fullest<'a>(texts: impl Iterator<Item = &'a str>, key: impl Fn(&str) -> (bool, usize)) -> String {
    let fuller = |best: &'a str, next: &'a str| if key(next) > key(best) { next } else { best };
    texts
        .filter(|text| !text.is_empty())
        .reduce(fuller)
        .unwrap_or_default()
        .to_owned()
}

fn is_cut(text: &str) -> bool {
    text.ends_with('…') || text.ends_with("...")
}
