"""How good the ranking of `media-index search` is: nDCG@10 on drawn films whose truth is known.

    python bench/search_quality.py --films 240

Every query is drawn from what one row is about (two to four attributes), so at least that row is right, and
is put in three ways: in the rows' own words, bent and out of order, and in words that no row has. A row's
grade is 3 with all of the query's attributes in one subject, 2 with all but one of three or more, 1 with at
least half, else 0; a video's is at most 2. nDCG counts 2^grade - 1, recall the rows of grade 3. The rows are
a serving file of their own for words only; a list by meaning is the long fused list in order of its cosines.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from quality_films import RowKey, Truth, make_index
from quality_words import FUNCTION_WORDS, WORDS

from jobs.reports.evaluation.metrics import ndcg
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import Catalog, open_catalog
from storage.query.search import Hit, search
from storage.query.words.stemming import stem

K, DEPTH = 10, 100
_TEMPLATES = (
    ("colour", "shape", "accessory"),
    ("colour", "shape", "accessory", "action"),
    ("colour", "shape", "setting"),
    ("colour", "shape", "event"),
    ("shape", "accessory", "setting", "time"),
    ("shape", "action", "setting", "time"),
    ("shape", "event", "setting"),
    ("accessory", "action"),
    ("action", "setting", "weather"),
    ("setting", "weather", "time"),
)
_SUBSET_FILMS, _SUBSET_NEEDS = 50, 40  # fewer than the 500 rows that search embeds by itself

Lists = dict[str, list[RowKey]]  # by words, by meaning, fused


@dataclass(frozen=True)
class Need:
    """What somebody looks for, and how they say it; `wanted` is the grade of every row of 1 or more."""

    phrasings: dict[str, str]
    wanted: dict[RowKey, int]

    def ndcg(self, found: Sequence[RowKey]) -> float:
        return ndcg([_gain(self.wanted.get(key, 0)) for key in found], map(_gain, self.wanted.values()), K)

    def recall(self, found: Sequence[RowKey]) -> float:
        """Of the rows that have everything, or of 100 of them, those among the first 100."""
        right = {key for key, grade in self.wanted.items() if grade == 3}
        return len(right.intersection(found[:DEPTH])) / min(len(right), DEPTH)


def main() -> None:
    """Draw, build, ask; print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=240)
    parser.add_argument("--needs", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = Path(folder) / "index"
        truths = make_index(url, options.films)
        build_serving(str(url))
        build_serving(str(url), output=url.with_name("words.duckdb"), words_only=True)
        both = open_serving(str(url)).catalog
        words = open_serving(str(url), file=url.with_name("words.duckdb")).catalog
        check_paraphrases(both)
        needs = draw_needs(truths, options.needs)
        print(f"{len(truths):,} rows of {options.films} films, {len(needs)} needs, each said in three ways\n")
        found = [
            {way: ask(both, words, text, len(truths)) for way, text in need.phrasings.items()}
            for need in needs
        ]
        print_quality(needs, found)
        compare_slow(Path(folder) / "subset")


def grade(truth: Truth, wanted: frozenset[str]) -> int:
    """0 to 3; attributes of two figures do not add up."""
    missing = min(len(wanted.difference(subject.values())) for subject in truth.subjects)
    if missing == 0:
        return 2 if truth.is_video else 3
    if missing == 1 and len(wanted) >= 3:
        return 2
    return int(2 * (len(wanted) - missing) >= len(wanted))


def draw_needs(truths: Sequence[Truth], count: int) -> list[Need]:
    """From rows that are no videos, so that each need has a row of grade 3."""
    draw = random.Random(11)
    needs: dict[frozenset[str], Need] = {}
    pointed = [truth for truth in truths if not truth.is_video]
    while len(needs) < count:
        template = draw.choice(_TEMPLATES)
        subject = draw.choice(draw.choice(pointed).subjects)
        if not all(kind in subject for kind in template):
            continue
        attributes = [subject[kind] for kind in template]
        wanted = frozenset(attributes)
        if wanted not in needs:
            grades = {truth.key: grade(truth, wanted) for truth in truths}
            needs[wanted] = Need(phrase(draw, attributes), {key: g for key, g in grades.items() if g})
    return list(needs.values())


def phrase(draw: random.Random, attributes: Sequence[str]) -> dict[str, str]:
    """The three ways of saying it."""
    shuffled = draw.sample(attributes, len(attributes))
    return {
        "own words": " ".join(WORDS[a].said for a in attributes),
        "bent, out of order": ", ".join(WORDS[a].bent for a in shuffled),
        "paraphrased": " ".join(draw.choice(WORDS[a].meant) for a in attributes),
    }


def check_paraphrases(catalog: Catalog) -> None:
    """No stem of theirs is in any row, but those of the function words."""
    terms = {term for (term,) in catalog.query("SELECT DISTINCT term FROM postings").rows}
    said = {part.lower() for word in WORDS.values() for text in word.meant for part in text.split()}
    shared = [word for word in said - FUNCTION_WORDS if stem([word])[0] in terms]
    assert not shared, f"in the rows too: {shared}"


def ask(both: Catalog, words: Catalog, text: str, num_rows: int) -> Lists:
    """The first hundred of each list; so long a fused list has every row that is near enough in meaning."""
    by_meaning = [hit for hit in search(both, text, num_rows) if hit.meaning_score is not None]
    by_meaning.sort(key=lambda hit: (-(hit.meaning_score or 0), hit.uri, hit.kind, hit.start_ms or 0))
    return {
        "words": [key_of(hit) for hit in search(words, text, DEPTH)],
        "meaning": [key_of(hit) for hit in by_meaning[:DEPTH]],
        "fused": [key_of(hit) for hit in search(both, text, DEPTH)],
    }


def key_of(hit: Hit) -> RowKey:
    return hit.kind, hit.uri, hit.start_ms, hit.title


def print_quality(needs: Sequence[Need], found: Sequence[dict[str, Lists]]) -> None:
    """One row per way of saying it and list."""
    print("| query | list | nDCG@10 | ± | recall@100 | no hit | fused is better / worse |")
    print("|---|---|---|---|---|---|---|")
    for way in needs[0].phrasings:
        fused = _scores(needs, found, way, "fused", Need.ndcg)
        for name in ("words", "meaning", "fused"):
            scores = _scores(needs, found, way, name, Need.ndcg)
            recall = _scores(needs, found, way, name, Need.recall).mean()
            half_width = 1.96 * scores.std(ddof=1) / len(scores) ** 0.5
            empty = sum(not lists[way][name] for lists in found)
            better, worse = (fused > scores + 1e-9).sum(), (fused < scores - 1e-9).sum()
            against = "" if name == "fused" else f"{better} / {worse}"
            print(
                f"| {way} | {name} | {scores.mean():.3f} | {half_width:.3f} | {recall:.3f} "
                f"| {empty} | {against} |"
            )


def _scores(
    needs: Iterable[Need],
    found: Iterable[dict[str, Lists]],
    way: str,
    name: str,
    measure: Callable[[Need, Sequence[RowKey]], float],
) -> np.ndarray:
    return np.array([measure(need, lists[way][name]) for need, lists in zip(needs, found, strict=True)])


def _gain(grade: int) -> int:
    return 2**grade - 1


def compare_slow(url: Path) -> None:
    """With a serving file and without, where search makes words and vectors itself."""
    needs = draw_needs(make_index(url, _SUBSET_FILMS), _SUBSET_NEEDS)
    slow = open_catalog(str(url))
    queries = [(need, text) for need in needs for text in need.phrasings.values()]
    slowly = [[key_of(hit) for hit in search(slow, text, K)] for _, text in queries]
    build_serving(str(url))
    fast = open_serving(str(url)).catalog
    quickly = [[key_of(hit) for hit in search(fast, text, K)] for _, text in queries]
    print(f"\n{_SUBSET_FILMS} films, {len(queries)} queries:")
    for name, lists in (("serving file", quickly), ("Parquet files", slowly)):
        scores = [need.ndcg(found) for (need, _), found in zip(queries, lists, strict=True)]
        print(f"- {name}: nDCG@10 {np.mean(scores):.4f}")
    same = sum(ours == theirs for ours, theirs in zip(quickly, slowly, strict=True))
    print(f"- the same ten rows in the same order: {same} of {len(queries)}")


if __name__ == "__main__":
    main()
