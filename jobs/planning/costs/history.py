"""What the index has recorded of attempts and runs with the same weights: what estimates are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from jobs.planning.costs.asked import FrameSampling, asked_of
from jobs.planning.costs.shapes import SHOWN, Shapes
from jobs.planning.costs.video_costs import Attempts, Costs, fit_costs
from jobs.prompts.kv import DENSE
from jobs.prompts.recipe import Recipe, is_option, pixels_of
from schemas.recipe import Budget, RecipeRecord
from storage.index.index import Index
from storage.query.actors import actors_by_run
from storage.query.catalog import Catalog
from videoxl2.network.configs.picture_size import PictureRule
from videoxl2.network.configs.weight_bits import FULL_BITS

_RECIPES = """
SELECT DISTINCT a.recipe_id FROM attempts AS a JOIN runs AS r USING (run_id)
WHERE r.model_revision = $revision"""

# Of the latest attempts under some recipes, those on what most of them ran on. Where an answer was stale
# or missing only some questions were asked, and nobody recorded which.
_ATTEMPTS = f"""
WITH shapes AS (
    SELECT video_id, object_rev, any_value(shown_width) AS width, any_value(shown_height) AS height
    FROM (SELECT video_id, object_rev, {SHOWN} FROM videos_all) GROUP BY ALL
), latest AS (
    SELECT a.* FROM attempts AS a JOIN runs AS r USING (run_id)
    WHERE a.outcome IN ('indexed', 'partial') AND a.video_ms > 0 AND r.model_revision = $revision
        AND a.recipe_id IN (SELECT unnest($recipes)) AND a.num_frames > 0
        AND a.plan_reason NOT IN ('stale_prompt', 'missing')
    ORDER BY a.started_at DESC LIMIT 5000
), usual AS (SELECT mode(device) AS device FROM latest)
SELECT device, recipe_id, video_ms, num_frames, num_output_tokens, num_again_tokens,
    prefill_seconds, generate_seconds,
    greatest(0, seconds - coalesce(finish_seconds, 0) - prefill_seconds - generate_seconds), width, height
FROM latest SEMI JOIN usual USING (device) LEFT JOIN shapes USING (video_id, object_rev)"""

# Of the latest runs: from the command to the first video in an actor's hands, and from the last one's end.
_EDGES = """
WITH edges AS (
    SELECT epoch(min(a.started_at) - r.started_at) AS before,
        epoch(r.ended_at - max(a.started_at + to_microseconds((a.seconds * 1e6)::BIGINT))) AS after
    FROM runs AS r JOIN attempts AS a USING (run_id)
    WHERE r.model_revision = $revision AND a.recipe_id IN (SELECT unnest($recipes))
    GROUP BY r.run_id, r.started_at, r.ended_at ORDER BY r.started_at DESC LIMIT 10
)
SELECT coalesce(median(before), 0) + coalesce(median(greatest(after, 0)), 0) FROM edges"""

_LATEST = """
SELECT run_id FROM runs
SEMI JOIN (FROM attempts WHERE recipe_id IN (SELECT unnest($recipes))) USING (run_id)
WHERE model_revision = $revision ORDER BY started_at DESC LIMIT 1"""


@dataclass(frozen=True)
class History:
    """Rates, where they come from, and the seconds of a run in which no video is at work.

    Of attempts that were decoded as the recipe says (`--kv`, `--weight-bits`, `--model-option`), or of all
    where there is none.
    """

    costs: Costs
    device: str
    num_attempts: int
    num_alike: int  # of them: asked the same questions
    is_decoded_alike: bool
    idle_s: float
    num_actors: int  # at work at once in the latest run


def read_history(
    catalog: Catalog, index: Index, recipe: Recipe, pictures: PictureRule | None = None
) -> History | None:
    """Read what videos took that this recipe's model was asked its questions about. None: no attempt of
    the model is recorded. `pictures` is the model's own rule of sizes."""
    revision = {"revision": recipe.model_revision}
    records = {name: index.recipe(name) for (name,) in catalog.query(_RECIPES, revision).rows}
    own_way = _way_of(recipe.record)
    decoded_alike = {name: record for name, record in records.items() if _way_of(record) == own_way}
    parameters = revision | {"recipes": sorted(decoded_alike)}
    rows = catalog.query(_ATTEMPTS, parameters).rows
    is_decoded_alike = bool(rows)
    if not rows:
        parameters = revision | {"recipes": sorted(records)}
        rows = catalog.query(_ATTEMPTS, parameters).rows
    if not rows:
        return None
    by_recipe: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_recipe.setdefault(row[1], []).append(row)
    records = {name: records[name] for name in by_recipe}
    attempts = {name: _attempts(some, records[name], pictures) for name, some in by_recipe.items()}
    questions = recipe.record.tasks.keys()
    alike = [name for name, record in records.items() if record and record.tasks.keys() == questions]
    costs = fit_costs(
        Attempts.of([*attempts.values()]), Attempts.of([attempts[name] for name in alike]) if alike else None
    )
    ((idle_s,),) = catalog.query(_EDGES, parameters).rows
    ((run_id,),) = catalog.query(_LATEST, parameters).rows
    num_actors = actors_by_run(catalog, run_id, run_id).get(run_id, 1)
    num_alike = sum(len(by_recipe[name]) for name in alike)
    num_attempts = sum(map(len, by_recipe.values()))
    return History(costs, rows[0][0], num_attempts, num_alike, is_decoded_alike, float(idle_s), num_actors)


def _way_of(recipe: RecipeRecord | None) -> tuple[object, ...]:
    """Return what costs depend on: keys and values, bits of weights, files and options of the model."""
    settings = recipe.settings if recipe else {}
    options = sorted(pair for pair in settings.items() if is_option(pair[0]))
    bits, files = settings.get("weight_bits", str(FULL_BITS)), settings.get("pictures_and_chat", "")
    return settings.get("kv", DENSE), bits, files, options


def _attempts(
    rows: Sequence[tuple[Any, ...]], recipe: RecipeRecord | None, pictures: PictureRule | None
) -> Attempts:
    """Attempts under one recipe. One of before budgets were kept, or that nobody declared, says less."""
    durations_ms, frames, tokens, again_tokens, prefill_s, generate_s, other_s, *sides = np.array(
        [[value or 0 for value in row[2:]] for row in rows], np.float64
    ).T
    settings = recipe.settings if recipe else {}
    sampling = FrameSampling(
        float(Fraction(settings.get("fps", "1"))),
        int(settings.get("max_frames", "2048")),
        settings.get("split") == "True",
        pictures.within(pixels_of(settings)) if pictures else None,
    )
    budgets = recipe.budgets if recipe else {}
    if recipe and not budgets:
        budgets = dict.fromkeys(recipe.tasks, Budget(max_new_tokens=0, window_ms=None))
    asked = asked_of(durations_ms, sampling, budgets)
    visual_tokens = frames * sampling.weights(durations_ms, Shapes(*sides))
    shown = replace(asked, frames=frames, visual_tokens=visual_tokens)
    return Attempts(shown, tokens, again_tokens, prefill_s, generate_s, other_s)
