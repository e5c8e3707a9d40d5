"""`explain VIDEO`: whatever became of a video, its whole story."""

from typing import Any

import pytest

from jobs.reports.explain.reading import read_explanation
from jobs.reports.explain.text import explain_lines
from jobs.ui.next_command import IndexPlace
from schemas.commit import CommitState, RunRecord
from schemas.failures import UsageError
from schemas.recipe import RecipeRecord
from schemas.tables import Attempt, Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.objects.store import open_store
from storage.query.catalog import open_catalog

URI = "s3://library/a.mp4"


class Library:
    """An index that is written step by step, as runs would."""

    def __init__(self, folder, make_row, make_bundle):
        self.folder = str(folder)
        self.index = open_index(self.folder, create=True)
        self.row, self.bundle = make_row, make_bundle

    def commit(self, bundle):
        key = (bundle.commit.video_id, bundle.commit.analysis_key)
        self.index.commit(*key, encode_bundle(bundle))
        self.index.publish([key])
        return bundle

    def mark(self, bundle, state):
        self.index.publish([], marks=[bundle.commit.model_copy(update={"state": state, "run_id": "marked"})])

    def run(self, run_id, **record):
        values = {"run_id": run_id, "recipe_id": "recipe", "library": "s3://library", "kind": "run"}
        run = self.row(Run, **{**values, **record.pop("run", {})})
        self.index.publish([], [RunRecord(run=run, **record)])

    def declare(self, recipe_id, **tasks):
        parts: dict[str, Any] = {"model_id": "m", "model": "m", "sampling": "s", "settings": {}}
        self.index.declare_recipe(RecipeRecord(recipe_id=recipe_id, tasks=tasks, prompts=tasks, **parts))

    def explain(self, name=URI):
        with open_catalog(self.folder) as catalog:
            return read_explanation(catalog, open_store(self.folder, None), IndexPlace("here"), name)


@pytest.fixture
def library(tmp_path, make_row, make_bundle):
    return Library(tmp_path, make_row, make_bundle)


def commands(known):
    return [step.command for step in known.next_steps]


def test_an_indexed_video(library):
    """Its rows by table and what made them, and where to look at them."""
    library.commit(
        library.bundle(URI, titles=("One", "Two"), warnings=["2 pictures are damaged"], title="A film")
    )
    library.run("r1")
    known = library.explain("a.mp4")
    assert (known.uri, known.state) == (URI, "indexed")
    assert [(row.table, row.rows) for row in known.rows][:2] == [("videos", 1), ("scenes", 2)]
    assert known.video.warnings == ["2 pictures are damaged"]
    assert library.explain(known.video_id) == known
    assert commands(known)[0].startswith("media-index sql --index here ")
    assert "warning: 2 pictures are damaged" in "\n".join(explain_lines(known))


def test_rows_of_several_prompts_and_runs_are_told_apart(library):
    """A changed prompt asks its own question again; the other rows keep the run that made them."""
    bundle = library.bundle(URI, recipe_id="new")
    old, new = {"recipe_id": "old", "run_id": "r1"}, {"recipe_id": "new", "run_id": "r2"}
    library.commit(
        bundle.model_copy(
            update={
                "scenes": tuple(s.model_copy(update={**new, "prompt_id": "scenes@2"}) for s in bundle.scenes),
                "characters": tuple(
                    c.model_copy(update={**old, "prompt_id": "who@1"}) for c in bundle.characters
                ),
            }
        )
    )
    made_by = {row.table: (row.made_by, row.recipe_id, row.run_id) for row in library.explain().rows}
    assert made_by["scenes"] == ("scenes@2", "new", "r2")
    assert made_by["characters"] == ("who@1", "old", "r1")


def test_each_commit_says_what_was_other_than_before(library):
    """Other bytes, and the prompt that changed; the last one counts."""
    library.declare("recipe", scenes="Describe", summary="Sum up")
    library.declare("later", scenes="Describe.", summary="Sum up")
    library.commit(library.bundle(URI))
    library.commit(library.bundle(URI, revision="etag2"))
    library.commit(library.bundle(URI, revision="etag2", recipe_id="later"))
    known = library.explain()
    assert [commit.differs for commit in known.commits] == [
        ("first",),
        ("other bytes",),
        ("prompt scenes changed",),
    ]
    assert [revision.object_rev for revision in known.revisions] == ["etag1-7", "etag2-7"]
    assert [recipe.recipe_id for recipe in known.recipes] == ["recipe", "later"]
    assert sum(line.endswith("counts") for line in explain_lines(known)) == 1


def test_a_stale_video_has_the_backfill_that_helps(library):
    """Changed prompts and prompts that are new are two flags."""
    library.declare("recipe", scenes="Describe")
    library.declare("changed", scenes="Describe.")
    library.declare("more", scenes="Describe.", mood="How does it feel?")
    library.commit(library.bundle(URI))
    library.run("r1")
    assert library.explain().state == "indexed"
    library.run("r2", run={"recipe_id": "changed"})
    known = library.explain()
    assert known.state == "indexed, stale_prompt"
    assert commands(known)[-1] == "media-index backfill --index here --stale --library s3://library"
    library.commit(library.bundle(URI, recipe_id="changed"))
    library.run("r3", run={"recipe_id": "more"})
    assert "--missing" in commands(library.explain())[-1]


def test_a_video_that_is_set_aside(library):
    """Why, and how to have it tried again or forgotten."""
    library.commit(library.bundle(URI, is_quarantined=True))
    known = library.explain()
    assert known.state.startswith("set aside until its object is replaced")
    assert [(failure.code, failure.counts) for failure in known.failures] == [("no_video", True)]
    assert known.rows == ()
    assert commands(known) == [
        f"media-index retry --index here {URI}",
        f"media-index forget --index here {URI}",
    ]


@pytest.mark.parametrize(
    ("state", "said"), [(CommitState.DELETED, "gone from the library"), (CommitState.RELEASED, "released")]
)
def test_a_video_whose_rows_are_history(library, state, said):
    """It is found, and its earlier commits are there."""
    library.mark(library.commit(library.bundle(URI)), state)
    known = library.explain()
    assert known.state.startswith(said)
    assert [commit.state for commit in known.commits] == ["rows", state]
    assert (known.rows, known.video) == ((), None)
    assert commands(known)


def test_a_video_that_was_never_settled(library, make_run_record):
    """Known from a run's failures and tries only."""
    bundle = library.bundle(URI)
    record = make_run_record("r1", unfinished=(bundle,))
    tried = library.row(
        Attempt,
        run_id="r1",
        video_id=bundle.commit.video_id,
        uri=URI,
        node="gpu-1",
        outcome="next_run",
        failure_class="transient",
        code="throttled",
        stage="fetch",
        plan_reason="new",
        attempt=5,
    )
    library.index.publish([], [record.model_copy(update={"attempts": (tried,)})])
    known = library.explain()
    assert known.state == "never settled; the latest try was left to the next run"
    assert [(one.node, one.code, one.attempt) for one in known.tries] == [("gpu-1", "throttled", 5)]
    assert commands(known)[0].startswith("media-index run --index here")
    assert "transient throttled in fetch" in "\n".join(explain_lines(known))


def test_the_same_bytes_elsewhere_are_named(library):
    """A copy, or where it was before it was moved."""
    library.commit(library.bundle(URI))
    library.commit(library.bundle("s3://library/copy.mp4"))
    assert library.explain().copies == ("s3://library/copy.mp4",)


def test_rows_of_packs_tables_are_listed(tmp_path, make_row, make_bundle):
    """Beside ours."""
    from jobs.prompts.pack import load_packs, own_tables

    own = own_tables(load_packs(("surveillance",)))
    index = open_index(str(tmp_path), create=True, own=own)
    bundle = make_bundle(URI)
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key", "recipe_id", "run_id")}
    event = make_row(own["events"], prompt_id="events@1", **ids)
    bundle = bundle.model_copy(update={"own": {"events": (event,)}})
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    with open_catalog(str(tmp_path)) as catalog:
        known = read_explanation(catalog, open_store(str(tmp_path), None), IndexPlace("here"), URI)
    assert [(row.table, row.made_by) for row in known.rows][-1] == ("events", "events@1")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s3://library/a.mp3", "Did you mean s3://library/a.mp4?"),
        ("night_walk.mkv", "Did you mean s3://library/night walk.mkv?"),
        ("zebra", "Index it first"),
        ("", "Index it first"),
        ("x" * 20_000, "Index it first"),
    ],
    ids=lambda value: value[:20],
)
def test_an_unknown_video_is_said_with_close_matches(library, name, said):
    """Two lines, no traceback."""
    library.commit(library.bundle(URI))
    library.commit(library.bundle("s3://library/night walk.mkv"))
    with pytest.raises(UsageError, match="is not in the index") as unknown:
        library.explain(name)
    assert said in unknown.value.hint


def test_a_name_that_stands_for_several_is_said(library):
    """With the URIs to choose from; a whole URI is never ambiguous."""
    library.commit(library.bundle("a.mp4"))
    library.commit(library.bundle(URI))
    with pytest.raises(UsageError, match=r"mp4 stands for 2 videos") as several:
        library.explain("mp4")
    assert URI in several.value.message
    assert library.explain("a.mp4").uri == "a.mp4"


def test_a_part_of_a_name_or_an_id_is_enough_where_it_is_the_only_one(library):
    """Whatever its case; a part of several is an error that names them."""
    walk = library.bundle("s3://library/Night Walk, part 2.mkv")
    library.commit(walk)
    library.commit(library.bundle("s3://library/night swim.mkv"))
    assert library.explain("walk").uri == walk.commit.uri
    assert library.explain(walk.commit.video_id[:12]).uri == walk.commit.uri
    with pytest.raises(UsageError, match="night stands for 2 videos: s3://library/Night Walk") as several:
        library.explain("night")
    assert several.value.exit_code == 2
    assert "s3://library/night swim.mkv" in several.value.message
