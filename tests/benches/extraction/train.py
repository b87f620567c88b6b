# /// script
# requires-python = ">=3.10"
# dependencies = ["lightgbm==4.7.0", "numpy", "scikit-learn"]
# ///
"""Trains the model that tells content from furniture, and says honestly how good it is.

    cargo bench -p deepsearch-tests --bench extraction -- --rows /tmp/rows.ndjson   # by the product's own code
    python train.py /tmp/rows.ndjson                            # five-fold cross-validation, twice
    python train.py /tmp/rows.ndjson --write crates/deepsearch-crawl/src/extract/model.txt

Pages are held out whole and with all other pages of their site, in folds balanced by page type, so that the figure for
sites not trained on is one. A page whose truth is empty, and one without a block of text, counts as 0.
"""

import argparse
import collections
import difflib
import json
import re
from urllib.parse import urlparse

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

WORD = re.compile(r"\w+")
ROUNDS = 200
# Extremely randomised splits and many weak trees: 210 pages are few, and a sharper model learns them by heart.
PARAMETERS = dict(
    objective="cross_entropy", extra_trees=True, learning_rate=0.1, num_leaves=15, min_data_in_leaf=30,
    feature_fraction=0.7, bagging_fraction=0.7, bagging_freq=1, lambda_l2=5, max_bin=63, num_threads=1,
    deterministic=True, seed=7, verbose=-1,
)
# More blocks of one page than this teach little; furniture is sampled down to about as many.
BLOCKS = 300


class Page:
    def __init__(self, line):
        page = json.loads(line)
        self.kind, self.columns = page["kind"], page["columns"]
        self.signal_names = [name for name, _ in page["signals"]]
        self.signals = np.array([value for _, value in page["signals"]], np.float32)
        host = (urlparse(page["url"]).hostname or page["id"]).split(".")
        self.site = ".".join(host[-3:] if len(host) > 2 and len(host[-2]) <= 3 else host[-2:])
        self.blocks = [WORD.findall(text.lower()) for text, _ in page["blocks"]]
        self.rows = np.array([row for _, row in page["blocks"]], np.float32)
        self.truth = WORD.findall(page["truth"].lower())
        self.words = np.array([len(block) for block in self.blocks], float)
        self.labels = labels(self.blocks, self.truth)
        self.sample, self.weights = self.sampled()

    def sampled(self):
        """A word counts more on a small page and where the truth is short, as it does in the score."""
        wanted = (self.words * (self.labels > 0.5)).sum()
        weights = self.words / np.sqrt(max(50, self.words.sum()) * max(50, wanted)) + 0.02 / max(1, len(self.blocks))
        content, furniture = np.flatnonzero(self.labels > 0.05), np.flatnonzero(self.labels <= 0.05)
        room = max(BLOCKS // 2, BLOCKS - len(content))
        if len(furniture) > room:
            weights[furniture] *= len(furniture) / room
            furniture = np.random.default_rng(5).choice(furniture, room, replace=False)
        return np.sort(np.concatenate([content, furniture])), weights

    def f1(self, kept):
        found = [word for block, keep in zip(self.blocks, kept) if keep for word in block]
        both = sum((collections.Counter(found) & collections.Counter(self.truth)).values())
        return 2 * both / max(1, len(found) + len(self.truth))


def labels(blocks, truth):
    """For each block, how much of it the truth holds: aligned in order, or (for long blocks) in what that left over.

    What stands twice on the page and once in the truth is content only once, as in the score."""
    words = [word for block in blocks for word in block]
    owner = [at for at, block in enumerate(blocks) for _ in block]
    hits, used = np.zeros(len(words)), np.zeros(len(truth), bool)
    for start, there, length in difflib.SequenceMatcher(None, words, truth, autojunk=False).get_matching_blocks():
        hits[start : start + length] = 1 if length >= 3 else 0.6
        used[there : there + length] = True
    found = np.zeros(len(blocks))
    np.add.at(found, owner, hits)
    found /= np.maximum([len(block) for block in blocks], 1)
    left = collections.Counter(tuple(truth[at : at + 4]) for at in range(len(truth) - 3) if not used[at : at + 4].any())
    for at, block in enumerate(blocks):
        if len(block) < 6 or found[at] > 0.5:
            continue
        covered, runs = np.zeros(len(block)), []
        for start in range(len(block) - 3):
            run = tuple(block[start : start + 4])
            if left[run] > 0:
                covered[start : start + 4] = 1
                runs.append(run)
        if covered.mean() > found[at]:
            found[at] = covered.mean()
            left.subtract(runs)
    return np.clip(found, 0, 1)


class Kinds:
    """Tells a page's kind: a linear rule each, so that few pages suffice and the product needs few numbers."""

    def __init__(self, pages):
        self.scaler = StandardScaler().fit([page.signals for page in pages])
        signals = self.scaler.transform([page.signals for page in pages])
        self.rules = LogisticRegression(C=0.05, max_iter=400).fit(signals, [page.kind for page in pages])

    def chances(self, page):
        return self.rules.predict_proba(self.scaler.transform([page.signals]))[0]

    def lines(self):
        for kind, bias, weights in zip(self.rules.classes_, self.rules.intercept_, self.rules.coef_):
            weights = weights / self.scaler.scale_
            numbers = [bias - weights @ self.scaler.mean_, *weights]
            yield f"kind {kind} " + " ".join(f"{number:.4g}" for number in numbers)


def with_chances(page, chances):
    return np.hstack([page.rows, np.tile(np.float32(chances), (len(page.blocks), 1))]) if page.blocks else page.rows


class Model:
    def __init__(self, pages, parameters=PARAMETERS, rounds=ROUNDS):
        self.kinds = Kinds(pages)
        # The forest must not trust the kinds more than they deserve, so it learns from guesses on unseen sites.
        rows = [None] * len(pages)
        for known, new in folds(pages, 1):
            kinds = Kinds([pages[at] for at in known])
            for at in new:
                rows[at] = with_chances(pages[at], kinds.chances(pages[at]))
        filled = [at for at, page in enumerate(pages) if page.blocks]
        weights = np.concatenate([pages[at].weights[pages[at].sample] for at in filled])
        data = lightgbm.Dataset(
            np.vstack([rows[at][pages[at].sample] for at in filled]),
            np.concatenate([pages[at].labels[pages[at].sample] for at in filled]),
            weight=weights / weights.mean(),
        )
        self.forest = lightgbm.train(parameters, data, rounds)

    def keep(self, page):
        """The set of blocks with the greatest expected F1, as `choose.rs` takes it."""
        if not page.blocks:
            return []
        chance = self.forest.predict(with_chances(page, self.kinds.chances(page)))
        order = np.argsort(-chance, kind="stable")
        right, taken = np.cumsum((chance * page.words)[order]), np.cumsum(page.words[order])
        best = int(np.argmax(2 * right / (taken + right[-1] + 1e-9))) + 1
        kept = np.zeros(len(page.blocks), bool)
        kept[order[:best]] = True
        return kept


def folds(pages, seed):
    kinds, sites = [page.kind for page in pages], [page.site for page in pages]
    return list(StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(kinds, kinds, sites))


def score(name, results):
    kinds = collections.defaultdict(list)
    for kind, f1 in results:
        kinds[kind].append(f1)
    means = {kind: float(np.mean(f1s)) for kind, f1s in sorted(kinds.items())}
    each = " ".join(f"{kind} {f1:.3f}" for kind, f1 in means.items())
    print(f"{name}: {np.mean(list(means.values())):.4f} ({each})", flush=True)


def cross_validate(pages, seeds=(0, 1)):
    results = []
    for seed in seeds:
        for known, new in folds(pages, seed):
            model = Model([pages[at] for at in known])
            results += [(pages[at].kind, pages[at].f1(model.keep(pages[at]))) for at in new]
    return results


def write(model, page, path):
    def grow(node):
        if "leaf_value" in node:
            return [f"={node['leaf_value']:.5g}"]
        threshold = np.float32(node["threshold"])
        return [f"{node['split_feature']}<{threshold!s}", *grow(node["left_child"]), *grow(node["right_child"])]

    with open(path, "w", encoding="utf-8", newline="\n") as file:
        print("|".join(page.columns), file=file)
        print("|".join(page.signal_names), file=file)
        print(*model.kinds.lines(), sep="\n", file=file)
        for tree in model.forest.dump_model()["tree_info"]:
            print(" ".join(grow(tree["tree_structure"])), file=file)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("rows", help="what the bench wrote with --rows")
    arguments.add_argument("--write", metavar="FILE", help="train on all pages and write the model")
    options = arguments.parse_args()
    with open(options.rows, encoding="utf-8") as lines:
        pages = [Page(line) for line in lines]
    score("best the blocks allow", [(page.kind, page.f1(page.labels > 0.5)) for page in pages])
    if options.write:
        model = Model(pages)
        score("all pages, trained on", [(page.kind, page.f1(model.keep(page))) for page in pages])
        write(model, next(page for page in pages if page.columns), options.write)
    score("five folds, sites not trained on", cross_validate(pages))


if __name__ == "__main__":
    main()
