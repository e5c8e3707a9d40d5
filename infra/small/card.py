"""The tables of the model card: each between two marks of its README.md, with how they were made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablations import DEFAULT, RATES, VARIANTS, Examiner
from judging import Score, table
from storyboard import Film, Part, draw_film

# What is aimed at through the whole pipeline.
AIMS = {
    "scene boundary F1": 0.95,
    "setting": 0.95,
    "time of day": 0.95,
    "action": 0.95,
    "character F1": 0.85,
    "characters by scene F1": 0.90,
    "highlight hit@1": 0.90,
    "highlight mAP(0.5)": 0.60,
}
_EXPLAINED = {
    "scene boundary F1": "scene boundary F1, within one sampled picture",
    "character F1": "character F1: colour, shape and what is worn, all right",
    "characters by scene F1": "characters by scene F1: colour and shape",
    "highlight hit@1": "highlight hit@1: of films that have one, the first told is one",
    "highlight mAP(0.5)": "highlight mAP(0.5): of the same films, all they have, in the order told",
    "no highlight told so": "films without a highlight told to be",
}
Lengths = tuple[tuple[int, int], ...]  # seconds, and how many films of them


@dataclass(frozen=True)
class Counts:
    """Of films that tables are made of, by length."""

    changed: Lengths = ((30, 12), (120, 4))
    rates: Lengths = ((30, 12), (60, 4), (120, 4))
    lengths: Lengths = ((30, 12), (60, 6), (120, 4), (300, 3), (600, 3))

    @property
    def by_table(self) -> dict[str, Lengths]:
        """Return them by the names of tables, in their order."""
        return {"changed": self.changed, "rates": self.rates, "lengths": self.lengths}


def long_films(part: Part, seconds: int, count: int) -> list[Film]:
    """Films of that length; none is in the table of the whole pipeline."""
    first = 1_000_000 + 1000 * seconds
    return [draw_film(part, number, seconds) for number in range(first, first + count)]


def scores_of(examiner: Examiner, part: Part, counts: Counts) -> Iterator[tuple[str, str, Score]]:
    """The tables whose films are asked about directly: a table's name, a row's, and its score."""
    for name, variants, lengths in (("changed", VARIANTS, counts.changed), ("rates", RATES, counts.rates)):
        films = _films(part, lengths)
        for variant in variants:
            yield name, variant.name, examiner.score(variant, films)
    for seconds, count in counts.lengths:
        row = f"{seconds} s"
        yield "lengths", row, examiner.score(replace(DEFAULT, name=row), long_films(part, seconds, count))


def direct_block(rows: Sequence[tuple[str, Score]], lengths: Lengths) -> str:
    """A table with what it is made of."""
    made = ", ".join(f"{count} of {seconds} s" for seconds, count in lengths)
    return f"Test films: {made}.\n\n{table(rows)}"


def pipeline_block(score: Score, films: Sequence[Film], part: Part, weights: str) -> str:
    """What was reached, held against what is aimed at, and counts behind the shares."""
    minutes = sum(film.duration_s for film in films) / 60
    shortest, longest = (f(film.duration_s for film in films) for f in (min, max))
    lines = [
        f"{len(films)} {part} films of {shortest:.0f} to {longest:.0f} s, {minutes:.0f} minutes in all."
        f" SHA-256 over the checkpoint's files begins with `{weights[:16]}`.",
        "",
        "| | reached | aimed at |",
        "|---|---|---|",
    ]
    for name, value in score.measures().items():
        aim = AIMS.get(name)
        reached = f"**{value:.3f}**" if aim is not None and value < aim else f"{value:.3f}"
        lines.append(f"| {_EXPLAINED.get(name, name)} | {reached} | {'' if aim is None else f'{aim:.2f}'} |")
    return "\n".join([*lines, "", *_counted(score)])


def put_into(card: str, blocks: Mapping[str, str]) -> str:
    """The card with other text between its marks. Raises `ValueError` where one is missing."""
    for name, block in blocks.items():
        marked = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        card, found = marked.subn(lambda match, text=block: f"{match[1]}{text}\n{match[2]}", card)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"it has {found} places for the table {name}, marked <!-- measured: {name} -->")
    return card


def _counted(score: Score) -> list[str]:
    rows = {
        "scene boundaries": score.boundaries,
        "figures, with what they wear": score.characters,
        "figures by scene": score.appearances,
    }
    lines = ["| of them | right | told | true |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {m.num_matched:,} | {m.num_predicted:,} | {m.num_true:,} |" for name, m in rows.items()
    ]
    return [*lines, f"| films whose first highlight is one | {sum(score.hits)} | | {len(score.hits)} |"]


def _films(part: Part, lengths: Lengths) -> list[Film]:
    return [film for seconds, count in lengths for film in long_films(part, seconds, count)]
