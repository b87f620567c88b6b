//! Runs the trained model: a forest of small decision trees whose leaves are added up.
//!
//! The trees are data (`model.txt`, written by `train.py`); this file only reads and walks them.

use std::sync::LazyLock;

/// The model this build carries.
pub(super) static FOREST: LazyLock<Forest> = LazyLock::new(|| Forest::read(include_str!("model.txt")));

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
    /// First line: the columns. Each further line: one tree in preorder, `column<threshold` or `=value`.
    fn read(text: &'static str) -> Self {
        let mut forest = Self {
            roots: Vec::new(),
            nodes: Vec::new(),
        };
        for line in text.lines().skip(1) {
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
    use super::FOREST;
    use crate::extract::training_rows;

    #[test]
    fn the_model_was_trained_on_the_columns_that_are_computed() {
        let (columns, _) = training_rows("<p>A page needs one block to have columns.</p>");
        let trained = include_str!("model.txt").lines().next().expect("a first line");
        assert_eq!(trained, columns.join("|"));
    }

    #[test]
    fn the_model_tells_prose_from_navigation() {
        let html = "<nav class=menu><a href=/a>Home</a></nav><main><article><h1>Title</h1><p>A long paragraph of prose, \
                    written for people to read, with more than one sentence. This is the second.</p></article></main>";
        let chances: Vec<f32> = training_rows(html)
            .1
            .iter()
            .map(|(_, row)| FOREST.probability(row))
            .collect();
        assert!(chances[0] < chances[2], "{chances:?}");
    }
}
