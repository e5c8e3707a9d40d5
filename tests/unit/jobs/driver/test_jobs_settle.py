"""Settling on a real index in a folder: what is committed, under which key, and which attempts are kept."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from rich.console import Console

from jobs.attempts.tries import ActorLocation, AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.driver.settling.settle import IndexSettler
from jobs.driver.settling.tidying import Tidying
from jobs.driver.telling.progress import Progress
from jobs.failures import Stage, VideoFailure
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from schemas.commit import RunRecord
from schemas.failures import FailureAction, FailureClass
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.tables import Run
from schemas.usage import Usage
from storage.index.commits.bundles import encode_bundle, encode_with_stream
from storage.index.index import open_index
from storage.query.catalog import open_catalog

RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, load_packs())
VIDEO = VideoObject("s3://library/a.mp4", 7, 0, etag="etag1")
WORK = Work(VIDEO, VIDEO.analysis_key("recipe"), Reason.NEW, max_frames=2048)
LOST = VideoFailure(Stage.MODEL, FailureClass.LOST, "machine_lost", "gone", "none")
POISON = VideoFailure(Stage.MODEL, FailureClass.POISON, "worker_killed", "died, time 2", "check")
FIRST = Try(1, datetime(2026, 11, 21, 1, tzinfo=UTC), 4.0, ActorLocation("n", "gpu-1", "H200"), failure=LOST)
SECOND = replace(FIRST, attempt=2, seconds=5.0, usage=Usage(wait_seconds=1.0, num_frames=64), failure=POISON)
POISONED = AttemptHistory(WORK, (FIRST, SECOND))
GOOD = AttemptHistory(WORK, (replace(FIRST, failure=None),))


@pytest.fixture
def index(tmp_path):
    return open_index(str(tmp_path / "index"), create=True)


@pytest.fixture
def run_ids():
    """Of the settlers of a test."""
    return {}


@pytest.fixture
def settler_of(index, run_ids):
    def make(run_id="run"):
        settler = IndexSettler(index, RECIPE, run_id, Progress(Console(file=io.StringIO())))
        run_ids[settler] = run_id
        return settler

    return make


@pytest.fixture
def published(index, make_row, run_ids):
    """Publish as a run does at its end; `published(settler, query)` answers from what readers see."""

    def ask(settler, query):
        tally = settler.tally
        run = make_row(Run, run_id=run_ids[settler], library="s3://library")
        settler.publish(RunRecord(run=run, failures=tuple(tally.unfinished), attempts=tuple(tally.attempts)))
        with open_catalog(index.url) as catalog:
            return catalog.query(query).rows

    return ask


def indexed(make_bundle) -> Postprocessed:
    return Postprocessed(*encode_with_stream(make_bundle()), is_partial=False)


def test_a_quarantine_does_not_occupy_the_analysis_key(index, settler_of, published, make_bundle):
    """A later retry commits rows under it, and they are what readers see."""
    first = settler_of("run1")
    first.failed(POISONED, FailureAction.QUARANTINED)
    assert not index.is_committed(VIDEO.video_id, WORK.analysis_key)
    query = "select (select count(*) from videos), (select min(code) from failures)"
    assert published(first, query) == [(0, "worker_killed")]
    second = settler_of("run2")
    second.indexed(GOOD, indexed(make_bundle))
    assert published(second, query) == [(1, None)]
    assert second.tally.num_indexed == 1


def test_every_row_of_a_quarantine_names_its_bundle(settler_of, published):
    """The commit, the failure and both attempts carry its own key."""
    settler = settler_of()
    settler.failed(POISONED, FailureAction.QUARANTINED)
    tables = " union all by name ".join(f"from {name}" for name in ("commits", "failures", "attempts"))
    query = f"select distinct analysis_key from ({tables})"
    ((key,),) = published(settler, query)
    assert key != WORK.analysis_key


def test_the_attempts_of_a_quarantined_video_are_in_the_index(settler_of, published):
    """One row a try: where, how long, why; what happened next."""
    settler = settler_of()
    settler.failed(POISONED, FailureAction.QUARANTINED)
    query = (
        "select attempt, outcome, failure_class, code, seconds, node, device, wait_seconds, num_frames, "
        "plan_reason, fingerprint is not null from attempts order by attempt"
    )
    assert published(settler, query) == [
        (1, "retried", "lost", "machine_lost", 4.0, "gpu-1", "H200", None, None, "new", True),
        (2, "quarantined", "poison", "worker_killed", 5.0, "gpu-1", "H200", 1.0, 64, "new", True),
    ]


def test_a_video_with_rows_is_never_set_aside(settler_of, published, make_bundle):
    """Its rows stay visible; the failure and the attempts are the run's."""
    before = settler_of("run1")
    before.indexed(GOOD, indexed(make_bundle))
    published(before, "select 1")
    newer = replace(VIDEO, etag="etag2")
    work = Work(newer, newer.analysis_key("recipe"), Reason.CHANGED, max_frames=2048, has_rows=True)
    settler = settler_of("run2")
    settler.failed(replace(POISONED, work=work), FailureAction.QUARANTINED)
    query = (
        "select (select count(*) from scenes), (select action from failures), "
        "(select list(outcome order by attempt) from attempts where run_id = 'run2')"
    )
    assert published(settler, query) == [(1, "next_run", ["retried", "next_run"])]
    assert settler.tally.num_quarantined == 0


def test_what_another_run_indexed_meanwhile_is_not_hidden(index, settler_of, published, make_bundle):
    """A quarantine that comes late gives way, though the plan knew of no rows."""
    assert index.commit(VIDEO.video_id, WORK.analysis_key, encode_bundle(make_bundle()))
    settler = settler_of("run2")
    settler.failed(POISONED, FailureAction.QUARANTINED)
    assert settler.tally.num_elsewhere == 1
    query = "select " + ", ".join(
        f"(select count(*) from {name})" for name in ("videos", "failures", "attempts")
    )
    assert published(settler, query) == [(1, 0, 2)]


def test_a_commit_whose_answer_got_lost_is_our_own(index, settler_of, published, make_bundle):
    """Counted as indexed, and its attempts are there once: the bundle that was there is this run's."""
    bundle = make_bundle()
    assert bundle.commit.run_id == "run"
    assert index.commit(VIDEO.video_id, WORK.analysis_key, encode_bundle(bundle))
    settler = settler_of("run")
    settler.indexed(GOOD, indexed(make_bundle))
    assert (settler.tally.num_indexed, settler.tally.num_elsewhere) == (1, 0)
    assert settler.tally.attempts == []


def test_what_the_run_did_not_settle_keeps_its_attempts(settler_of, published):
    """A video that waits for its next try when the run ends: the last one says so."""
    settler = settler_of()
    lost = AttemptHistory(WORK, (FIRST,))
    settler.retrying(lost)
    settler.unsettled(lost)
    assert published(settler, "select outcome, code from attempts") == [("next_run", "machine_lost")]
    assert settler.tally.tries == {"lost": 1}


def test_small_files_are_merged_beside_the_run(index, make_bundle):
    """Once a table has more than two; rows stay as they are."""
    said = io.StringIO()
    progress = Progress(Console(file=said))
    tidying = Tidying(index.url, None, 2, progress)
    settler = IndexSettler(index, RECIPE, "run", progress, tidying)
    for number in range(4):
        bundle = make_bundle(uri=f"s3://library/{number}.mp4")
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        settler.already_committed(bundle.commit.video_id, bundle.commit.analysis_key)
        settler.publish()
    tidying.finish()
    assert "compacted" in said.getvalue()
    assert len(index.snapshot().files_of("scenes")) <= 2
    with open_catalog(index.url) as catalog:
        assert catalog.query("select count(*) from scenes").rows == [(4,)]


def test_a_compaction_that_fails_harms_nothing(index, make_bundle):
    """It is told, and the run goes on."""
    said = io.StringIO()
    tidying = Tidying(index.url, None, 1, Progress(Console(file=said)))
    bundles = [make_bundle(uri=f"s3://library/{number}.mp4") for number in range(2)]
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    index.store.delete(index.snapshot().files_of("scenes")[0])
    tidying.look(index.snapshot())
    tidying.finish()
    assert "not merged" in said.getvalue()
