# /// script
# requires-python = ">=3.10"
# dependencies = ["lightgbm==4.7.0", "numpy", "scikit-learn"]
# ///
"""Trains the model that tells content from furniture, and says honestly how good it is.

    cargo bench -p deepsearch-tests --bench extraction -- --rows /tmp/rows.ndjson   # by the product's own code
    python train.py /tmp/rows.ndjson                                                # five-fold cross-validation, by page
    python train.py /tmp/rows.ndjson --write crates/deepsearch-crawl/src/extract/model.txt

Pages are held out whole, in folds balanced by page type; figures printed before writing are of pages not trained on.
"""

import argparse
import collections
import difflib
import json
import re

import lightgbm
import numpy as np
from sklearn.model_selection import StratifiedKFold

WORD = re.compile(r"\w+")
ROUNDS = 400
# Extremely randomised splits and many weak trees: 210 pages are few, and a sharper model learns them by heart.
PARAMETERS = dict(
    objective="cross_entropy", extra_trees=True, learning_rate=0.05, num_leaves=15, min_data_in_leaf=30,
    feature_fraction=0.7, bagging_fraction=0.7, bagging_freq=1, lambda_l2=5, max_bin=63, num_threads=1,
    deterministic=True, seed=7, verbose=-1,
)


class Page:
    def __init__(self, line):
        page = json.loads(line)
        self.kind, self.columns = page["kind"], page["columns"]
        self.blocks = [WORD.findall(text.lower()) for text, _ in page["blocks"]]
        self.rows = np.array([row for _, row in page["blocks"]], np.float32)
        self.truth = WORD.findall(page["truth"].lower())
        self.words = np.array([len(block) for block in self.blocks], float)
        self.labels = labels(self.blocks, self.truth)

    def weights(self):
        """A word counts more on a small page and where the truth is short, as it does in the score."""
        wanted = (self.words * (self.labels > 0.5)).sum()
        return self.words / np.sqrt(max(50, self.words.sum()) * max(50, wanted)) + 0.02 / max(1, len(self.blocks))

    def f1(self, kept):
        found = [word for block, keep in zip(self.blocks, kept) if keep for word in block]
        both = sum((collections.Counter(found) & collections.Counter(self.truth)).values())
        return 2 * both / max(1, len(found) + len(self.truth))


def labels(blocks, truth):
    """For each block, how much of it the truth holds: aligned in order, or (for long blocks) anywhere."""
    words = [word for block in blocks for word in block]
    owner = [at for at, block in enumerate(blocks) for _ in block]
    hits = np.zeros(len(words))
    for start, _, length in difflib.SequenceMatcher(None, words, truth, autojunk=False).get_matching_blocks():
        hits[start : start + length] = 1 if length >= 3 else 0.6
    found = np.zeros(len(blocks))
    np.add.at(found, owner, hits)
    found /= np.maximum([len(block) for block in blocks], 1)
    runs = {tuple(truth[at : at + 4]) for at in range(len(truth) - 3)}
    for at, block in enumerate(blocks):
        if len(block) >= 6:
            covered = np.zeros(len(block))
            for start in range(len(block) - 3):
                if tuple(block[start : start + 4]) in runs:
                    covered[start : start + 4] = 1
            found[at] = max(found[at], covered.mean())
    return np.clip(found, 0, 1)


def train(pages, parameters=PARAMETERS, rounds=ROUNDS):
    weights = np.concatenate([page.weights() for page in pages])
    data = lightgbm.Dataset(
        np.vstack([page.rows for page in pages if len(page.blocks)]),
        np.concatenate([page.labels for page in pages]),
        weight=weights / weights.mean(),
    )
    return lightgbm.train(parameters, data, rounds)


def keep(page, model):
    """The set of blocks with the greatest expected F1, as `choose.rs` takes it."""
    if not len(page.blocks):
        return []
    chance = model.predict(page.rows)
    order = np.argsort(-chance, kind="stable")
    right, taken = np.cumsum((chance * page.words)[order]), np.cumsum(page.words[order])
    best = int(np.argmax(2 * right / (taken + right[-1] + 1e-9))) + 1
    kept = np.zeros(len(page.blocks), bool)
    kept[order[:best]] = True
    return kept


def score(name, results):
    kinds = collections.defaultdict(list)
    for kind, f1 in results:
        kinds[kind].append(f1)
    means = {kind: float(np.mean(f1s)) for kind, f1s in sorted(kinds.items())}
    each = " ".join(f"{kind} {f1:.3f}" for kind, f1 in means.items())
    print(f"{name}: {np.mean(list(means.values())):.4f} ({each})", flush=True)


def cross_validate(pages, seeds=(0, 1), parameters=PARAMETERS, rounds=ROUNDS):
    kinds, results = [page.kind for page in pages], []
    for seed in seeds:
        for known, new in StratifiedKFold(5, shuffle=True, random_state=seed).split(kinds, kinds):
            model = train([pages[at] for at in known], parameters, rounds)
            results += [(pages[at].kind, pages[at].f1(keep(pages[at], model))) for at in new]
    return results


def write(model, columns, path):
    def grow(node):
        if "leaf_value" in node:
            return [f"={node['leaf_value']:.5g}"]
        threshold = np.float32(node["threshold"])
        return [f"{node['split_feature']}<{threshold!s}", *grow(node["left_child"]), *grow(node["right_child"])]

    with open(path, "w", encoding="utf-8", newline="\n") as file:
        print("|".join(columns), file=file)
        for tree in model.dump_model()["tree_info"]:
            print(" ".join(grow(tree["tree_structure"])), file=file)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("rows", help="what the bench wrote with --rows")
    arguments.add_argument("--write", metavar="FILE", help="train on all pages and write the model")
    options = arguments.parse_args()
    with open(options.rows, encoding="utf-8") as lines:
        pages = [Page(line) for line in lines]
    score("best the blocks allow", [(page.kind, page.f1(page.labels > 0.5)) for page in pages])
    score("five folds, pages not trained on", cross_validate(pages))
    if options.write:
        model = train(pages)
        score("all pages, trained on", [(page.kind, page.f1(keep(page, model))) for page in pages])
        write(model, next(page.columns for page in pages if page.columns), options.write)


if __name__ == "__main__":
    main()
