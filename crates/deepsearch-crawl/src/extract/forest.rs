//! Runs the trained model: a forest of small decision trees whose leaves are added up.
//!
//! The trees are data (`model.txt`, written by `train.py`); this file only reads and walks them. The file's lines: the
//! columns, the signals of a page's kind, one rule per kind (`kind.rs`), then one tree each.

use std::sync::LazyLock;

use super::kind::Kinds;

/// The model this build carries.
pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(include_str!("model.txt")));

pub(super) struct Model {
    pub(super) kinds: Kinds,
    pub(super) forest: Forest,
}

impl Model {
    fn read(text: &'static str) -> Self {
        let (kinds, trees) = text
            .lines()
            .skip(2)
            .partition::<Vec<_>, _>(|line| line.starts_with("kind "));
        Self {
            kinds: Kinds::read(kinds.into_iter().map(|line| line.trim_start_matches("kind "))),
            forest: Forest::read(trees.into_iter()),
        }
    }
}

pub(super) struct Forest {
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

/// A split (`feature` is a column) or, when both ways lead to itself, a leaf whose value is in `threshold`.
struct Node {
    feature: u16,
    threshold: f32,
    low: u32,
    high: u32,
}

const LEAF: u16 = u16::MAX;

impl Forest {
    /// Each line: one tree in preorder, `column<threshold` or `=value`.
    fn read<'a>(trees: impl Iterator<Item = &'a str>) -> Self {
        let mut forest = Self {
            roots: Vec::new(),
            nodes: Vec::new(),
        };
        for line in trees {
            forest.roots.push(forest.nodes.len() as u32);
            forest.grow(&mut line.split(' '));
        }
        forest
    }

    // A tree is a few levels deep: its depth was bounded when it was trained.
    fn grow<'a>(&mut self, tokens: &mut impl Iterator<Item = &'a str>) -> u32 {
        let at = self.nodes.len() as u32;
        let token = tokens.next().unwrap_or("=0");
        if let Some((column, threshold)) = token.split_once('<') {
            let (feature, threshold) = (column.parse().unwrap_or(0), threshold.parse().unwrap_or(0.0));
            self.nodes.push(Node {
                feature,
                threshold,
                low: 0,
                high: 0,
            });
            let low = self.grow(tokens);
            let high = self.grow(tokens);
            self.nodes[at as usize].low = low;
            self.nodes[at as usize].high = high;
        } else {
            let threshold = token.trim_start_matches('=').parse().unwrap_or(0.0);
            self.nodes.push(Node {
                feature: LEAF,
                threshold,
                low: at,
                high: at,
            });
        }
        at
    }

    /// How likely the block described by `row` is part of the content, 0 to 1.
    pub(super) fn probability(&self, row: &[f32]) -> f32 {
        let sum: f32 = self.roots.iter().map(|&root| self.walk(root, row)).sum();
        1.0 / (1.0 + (-sum).exp())
    }

    fn walk(&self, root: u32, row: &[f32]) -> f32 {
        let mut node = &self.nodes[root as usize];
        while node.feature != LEAF {
            let goes_low = row
                .get(usize::from(node.feature))
                .is_some_and(|value| *value <= node.threshold);
            node = &self.nodes[if goes_low { node.low } else { node.high } as usize];
        }
        node.threshold
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::MODEL;
    use crate::extract::{rows, training_rows};

    fn url() -> Url {
        Url::parse("https://example.org/").expect("a valid address")
    }

    #[test]
    fn the_model_was_trained_on_the_columns_and_signals_that_are_computed() {
        let rows = training_rows("<p>A page needs one block to have columns.</p>", &url());
        let mut trained = include_str!("model.txt").lines();
        assert_eq!(trained.next().expect("a line of columns"), rows.columns.join("|"));
        let signals: Vec<&str> = rows.signals.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(trained.next().expect("a line of signals"), signals.join("|"));
    }

    #[test]
    fn the_model_tells_prose_from_navigation() {
        let html = "<nav class=menu><a href=/a>Home</a></nav><main><article><h1>Title</h1><p>A long paragraph of prose, \
                    written for people to read, with more than one sentence. This is the second.</p></article></main>";
        let chances: Vec<f32> = rows(html, &url())
            .iter()
            .map(|row| MODEL.forest.probability(row))
            .collect();
        assert!(chances[0] < chances[2], "{chances:?}");
    }
}
