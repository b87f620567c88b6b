//! Where each element stands on its page: its section, its distance to the core of the prose, the list it repeats in.
//!
//! Every answer follows from the parent's, so one pass from the root gives all of them, however deep the page nests.

use std::collections::HashMap;

use super::outline::{Block, Element, Outline};

/// Elements, or parts of them, that are alike.
#[derive(Default, Clone, Copy)]
pub(super) struct Group {
    pub(super) members: u32,
    pub(super) words: u32,
    pub(super) linked: u32,
    pub(super) prose: u32,
}

#[derive(Default, Clone)]
pub(super) struct Standing {
    /// The largest element around this one that holds less than 60 % of the page.
    pub(super) section: Option<usize>,
    /// Elements around it, itself included, with more than a sentence or three of prose.
    pub(super) prose_above: u16,
    /// Whether it lies in the smallest element that holds 50, 70 and 90 % of the prose.
    pub(super) in_core: [bool; 3],
    /// How far up the nearest element is that has each core within it.
    pub(super) to_core: [u16; 3],
    /// The wordiest list of like siblings that it is part of, and how far up its item is.
    pub(super) list_level: u16,
    pub(super) list: Group,
}

impl Group {
    pub(super) fn add(&mut self, words: u32, linked: u32, prose: u32) {
        self.members += 1;
        self.words += words;
        self.linked += linked;
        self.prose += prose;
    }
}

pub(super) fn is_prose(block: &Block) -> bool {
    block.words >= 10 && block.link_density() < 0.33
}

/// One per element, in their order.
pub(super) fn standings(outline: &Outline) -> Vec<Standing> {
    let elements = &outline.elements;
    let prose = f64::from(outline.prose());
    let cores = [0.5, 0.7, 0.9].map(|share| core(elements, (prose * share) as u32));
    let mut around_core = vec![[false; 3]; elements.len()];
    for (which, &core) in cores.iter().enumerate().filter(|_| !elements.is_empty()) {
        outline.ancestors(core).for_each(|at| around_core[at][which] = true);
    }
    let mut siblings: HashMap<(usize, u64), Group> = HashMap::new();
    for element in elements.iter().filter(|element| element.words > 0) {
        if let Some(parent) = element.parent {
            let group = siblings.entry((parent, element.kind)).or_default();
            group.add(element.words, element.linked, element.prose);
        }
    }
    let small = f64::from(outline.words()) * 0.6;
    let mut standings: Vec<Standing> = Vec::with_capacity(elements.len());
    for (at, element) in elements.iter().enumerate() {
        let above = element
            .parent
            .map(|parent| &standings[parent])
            .cloned()
            .unwrap_or_default();
        let group = element.parent.and_then(|parent| siblings.get(&(parent, element.kind)));
        let group = group.copied().filter(|group| group.members >= 3).unwrap_or_default();
        let is_list = group.words > 0 && group.words >= above.list.words;
        let mut own = Standing {
            section: above
                .section
                .or_else(|| (f64::from(element.words) < small).then_some(at)),
            prose_above: above.prose_above + u16::from(element.prose > 60),
            list_level: if is_list {
                1
            } else {
                above.list_level + u16::from(above.list.words > 0)
            },
            list: if is_list { group } else { above.list },
            ..Standing::default()
        };
        for (which, &core) in cores.iter().enumerate() {
            own.in_core[which] = above.in_core[which] || core == at;
            let is_near = own.in_core[which] || around_core[at][which];
            own.to_core[which] = if is_near { 0 } else { above.to_core[which] + 1 };
        }
        standings.push(own);
    }
    standings
}

/// The smallest element that holds at least `prose` words of prose.
fn core(elements: &[Element], prose: u32) -> usize {
    let holding = elements
        .iter()
        .enumerate()
        .filter(|(_, element)| element.prose >= prose.max(1));
    holding
        .min_by_key(|(at, element)| (element.words, usize::MAX - at))
        .map_or(0, |(at, _)| at)
}
