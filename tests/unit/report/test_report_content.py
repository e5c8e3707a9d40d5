"""What a report says of runs, against the rows that were drawn."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from jobs.reports.report.content import MAX_BUCKETS, read_report
from jobs.reports.report.page import report_page
from jobs.reports.report.period import find_period
from jobs.reports.report.text import report_lines
from jobs.ui.next_command import IndexPlace
from jobs.ui.terminal import to_json
from schemas.commit import RunRecord
from schemas.failures import UsageError
from schemas.tables import Attempt, Failure, Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.leases import acquire
from storage.objects.store import open_store
from storage.query.catalog import open_catalog


@pytest.fixture
def read():
    """`read(folder, run_id=None, since=None)`: the report, and its catalog's answer to any query."""

    def read_it(folder, run_id=None, since=None):
        with open_catalog(str(folder)) as catalog:
            store = open_store(str(folder), None)
            return read_report(catalog, store, find_period(catalog, run_id, since), IndexPlace(str(folder)))

    return read_it


@pytest.fixture
def ask():
    def ask_it(folder, sql):
        with open_catalog(str(folder)) as catalog:
            return catalog.query(sql).rows

    return ask_it


def test_the_latest_run_by_default(three_nights, read):
    """Its outcome in words, and what it was planned to do."""
    report = read(three_nights)
    [run] = report.runs
    assert run.run_id.startswith("20261122")
    assert (run.exit_code, run.meaning) == (3, "done, but videos were left out or lack an answer")
    assert report.num_planned == run.num_indexed + run.num_partial + run.num_quarantined + run.num_unfinished
    assert run.num_actors == 2


def test_a_run_by_its_id_and_a_stretch_of_time(three_nights, read, ask):
    """`--run` is that run alone; `--since` all that began then or later."""
    ids = [row[0] for row in ask(three_nights, "select run_id from runs order by 1")]
    assert [run.run_id for run in read(three_nights, run_id=ids[0]).runs] == ids[:1]
    assert [run.run_id for run in read(three_nights, since="2026-11-21").runs] == ids[1:]
    assert [run.run_id for run in read(three_nights, since="2026-11-21T02:00").runs] == ids[2:]
    assert [run.run_id for run in read(three_nights, since="2026-11-21T03:00+02:00").runs] == ids[1:]
    assert read(three_nights, since="2027-01-01").runs == ()


def test_a_wrong_period_is_said(three_nights, read):
    """With the runs that were perhaps meant."""
    with pytest.raises(UsageError, match="no run '20261122T010000Z'") as wrong:
        read(three_nights, run_id="20261122T010000Z")
    assert "20261122T010000Z-" in wrong.value.hint
    with pytest.raises(UsageError, match="is no date"):
        read(three_nights, since="yesterday")
    with pytest.raises(UsageError, match="together"):
        read(three_nights, run_id="a", since="2026-11-21")


@pytest.mark.parametrize("since", [None, "2026-11-20"])
def test_every_end_and_every_busy_second_is_in_the_timeline_once(three_nights, read, ask, since):
    """Whatever the width of the columns."""
    report = read(three_nights, since=since)
    buckets = report.timeline.buckets
    ids = ", ".join(f"'{run.run_id}'" for run in report.runs)
    expected = dict(
        ask(
            three_nights,
            "select outcome, count(*) from attempts "
            f"where outcome <> 'retried' and run_id in ({ids}) group by 1",
        )
    )
    for outcome in ("indexed", "partial", "quarantined", "next_run"):
        assert sum(getattr(bucket, outcome) for bucket in buckets) == expected.get(outcome, 0)
    spent = report.spent
    busy = spent.prefill_seconds + spent.generate_seconds - spent.wait_seconds
    assert sum(bucket.busy_seconds for bucket in buckets) == pytest.approx(busy)
    assert all(bucket.busy_seconds <= report.timeline.busy_capacity_s + 1e-6 for bucket in buckets)
    assert len(buckets) <= MAX_BUCKETS
    assert 0 < spent.run_share <= spent.busy_share < 1


def test_each_failed_try_is_in_one_group(three_nights, read, ask):
    """By class, code and fingerprint, with what was said of those that lasted."""
    report = read(three_nights, since="2026-11-20")
    counted = {(g.failure_class, g.code): (g.videos, g.tries) for g in report.failures}
    tried = ask(
        three_nights,
        "select failure_class, code, count(distinct video_id), count(*) from attempts "
        "where failure_class is not null group by all",
    )
    cut_short = ask(
        three_nights,
        "select count(distinct video_id), sum(attempts)::bigint from failures_all where code = 'cut_short'",
    )
    assert counted == {row[:2]: row[2:] for row in tried} | {("answer", "cut_short"): cut_short[0]}
    assert all(group.hint for group in report.failures)
    for group in report.failures:
        assert group.command.startswith("media-index ")
        assert bool(group.message) == bool(group.quarantined or group.partial or group.unfinished)


def test_alike_failures_are_told_apart_by_their_fingerprint(tmp_path, make_row, read):
    """Two bugs of one type are two groups; three videos with the same one are one."""
    index = open_index(str(tmp_path), create=True)
    attempts = tuple(
        make_row(
            Attempt,
            run_id="r1",
            video_id=str(n),
            analysis_key=str(n),
            outcome="quarantined",
            failure_class="bug",
            code="KeyError",
            fingerprint=fingerprint,
        )
        for n, fingerprint in enumerate(("f1", "f1", "f1", "f2"))
    )
    index.publish([], [RunRecord(run=make_row(Run, run_id="r1"), attempts=attempts)])
    assert [(g.fingerprint, g.videos) for g in read(tmp_path).failures] == [("f1", 3), ("f2", 1)]


def test_cost_per_video_hour_counts_vain_tries(tmp_path, make_row, read):
    """A video of half an hour that took 10 s in vain and then 50 s cost 120 s an hour."""
    index = open_index(str(tmp_path), create=True)
    tries = (("retried", None, 10.0), ("indexed", 1_800_000, 50.0))
    attempts = tuple(
        make_row(
            Attempt,
            run_id="r1",
            attempt=n,
            outcome=outcome,
            video_ms=video_ms,
            prefill_seconds=seconds,
            device="NVIDIA H200",
        )
        for n, (outcome, video_ms, seconds) in enumerate(tries, start=1)
    )
    index.publish([], [RunRecord(run=make_row(Run, run_id="r1"), attempts=attempts)])
    report = read(tmp_path)
    assert (report.spent.p50, report.spent.p90) == (120, 120)
    assert report.spent.throughput == pytest.approx(30)
    assert (report.spent.lost_seconds, report.engine) == (10, "GPU")
    [video] = report.slowest
    assert (video.tries, video.model_seconds, video.outcome) == (2, 60, "indexed")


@pytest.mark.parametrize("model_s", [None, 60.0])
def test_what_cpus_did_is_told_with_a_model_and_without(tmp_path, make_row, read, model_s):
    """Reading signals and finishing, in the text and on the page; shares are of the model's time alone."""
    index = open_index(str(tmp_path), create=True)
    took = {"prefill_seconds": model_s, "signal_seconds": 90.0, "finish_seconds": 5.0}
    attempt = make_row(Attempt, run_id="r1", attempt=1, outcome="indexed", video_ms=3_600_000, **took)
    index.publish([], [RunRecord(run=make_row(Run, run_id="r1"), attempts=(attempt,))])
    report = read(tmp_path)
    assert report.spent.cpu_parts == (("signals", 90), ("finish", 5))
    (line,) = (line for line in report_lines(report) if "on CPUs:" in line)
    assert "signals 90 s, finish 5.0 s" in line
    assert ("prefill 100%" in line) is (model_s is not None)
    page = report_page(report, [])
    assert "Where the seconds went" in page
    assert page.count('<td class="n">on CPUs') == 2
    [reason] = report.reasons
    assert (reason.gpu_hours, reason.cpu_hours) == ((model_s or 0.0) / 3600, 95 / 3600)
    [video] = report.slowest
    assert (video.model_seconds, video.cpu_seconds, video.total_seconds) == (
        model_s or 0.0,
        95,
        95 + (model_s or 0.0),
    )


def test_the_slowest_videos_are_those_that_took_most_of_model_and_cpus(tmp_path, make_row, read):
    """In text and page each with both; a night without a model has slowest ones, too."""
    took = {
        "s3://b/heard.mp4": {"prefill_seconds": 5.0, "signal_seconds": 400.0},
        "s3://b/seen.mp4": {"prefill_seconds": 100.0, "generate_seconds": 50.0, "signal_seconds": 1.0},
        "s3://b/unseen.mp4": {"signal_seconds": 200.0, "finish_seconds": 2.0},
    }
    attempts = tuple(
        make_row(Attempt, run_id="r1", uri=uri, video_id=f"{n:016x}", attempt=1, outcome="indexed", **seconds)
        for n, (uri, seconds) in enumerate(took.items())
    )
    index = open_index(str(tmp_path), create=True)
    index.publish([], [RunRecord(run=make_row(Run, run_id="r1"), attempts=attempts)])
    report = read(tmp_path)
    assert [video.uri for video in report.slowest] == [
        "s3://b/heard.mp4",
        "s3://b/unseen.mp4",
        "s3://b/seen.mp4",
    ]
    lines = report_lines(report)
    (line,) = (line for line in lines if line.endswith("s3://b/unseen.mp4"))
    assert line.split()[:4] == ["0.0", "s", "3.4", "min"]
    page = report_page(report, [])
    assert page.count('<i class="signals"') == 5, "three bars, the sum, the legend"


def test_a_run_that_has_not_ended_is_reported_from_its_tries(tmp_path, draw_nights, make_row, read):
    """Whether it is at work or died shows in the leases."""
    nights = draw_nights(tmp_path / "index")
    nights.night(0, 5)
    going = "20261121T010000Z-aaaaaa"
    bundle, attempts, _ = nights.draw(going, "r", 1, 1, datetime(2026, 11, 21, 1, tzinfo=UTC), 0, None)
    nights.index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    nights.index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    [run] = read(tmp_path / "index").runs
    assert (run.run_id, run.exit_code, run.num_indexed) == (going, None, 1)
    assert run.meaning.startswith("not ended")
    assert run.seconds == pytest.approx(attempts[-1].seconds)
    lease = acquire(open_store(str(tmp_path / "index"), None), "nightly", going, lambda holder: None)
    assert read(tmp_path / "index").runs[0].meaning == "at work now"
    lease.release()


def test_runs_without_recorded_attempts_still_report(tmp_path, make_row, read):
    """Older runs: their own totals and failures are what there is."""
    index = open_index(str(tmp_path), create=True)
    at = datetime(2026, 11, 20, 1, tzinfo=UTC)
    run = make_row(
        Run,
        run_id="20261120T010000Z-aaaaaa",
        started_at=at,
        ended_at=at + timedelta(hours=1),
        exit_code=3,
        num_planned=9,
        num_indexed=7,
        num_quarantined=1,
        num_unfinished=1,
        video_ms=7_200_000,
        prefill_seconds=1200.0,
        generate_seconds=600.0,
    )
    failure = make_row(
        Failure,
        run_id=run.run_id,
        video_id="v",
        code="throttled",
        failure_class="transient",
        action="next_run",
        message="503",
        hint="wait",
        attempts=5,
    )
    index.publish([], [RunRecord(run=run, failures=(failure,))])
    report = read(tmp_path)
    assert report.spent.throughput == pytest.approx(4)
    assert [(g.code, g.tries, g.hint, g.unfinished) for g in report.failures] == [("throttled", 5, "wait", 1)]
    assert sum(bucket.indexed for bucket in report.timeline.buckets) == 7
    assert "4.0 video hours" in "\n".join(report_lines(report))


@pytest.mark.parametrize("since", [None, "2026-11-20"])
def test_an_empty_index_is_no_error(tmp_path, read, since):
    """Nothing to report is said in words."""
    open_index(str(tmp_path), create=True)
    report = read(tmp_path, since=since)
    assert (report.runs, report.timeline.buckets, report.failures, report.next_steps) == ((), (), (), ())
    assert next(report_lines(report)).startswith("no run to report")


def test_hundreds_of_runs_keep_to_a_page(tmp_path, make_row, read):
    """Columns of time stay few, and the text shows the latest runs only."""
    index = open_index(str(tmp_path), create=True)
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    runs = [
        make_row(
            Run,
            run_id=f"{begin + timedelta(days=n):%Y%m%dT%H%M%SZ}-{n:06x}",
            started_at=begin + timedelta(days=n),
            ended_at=begin + timedelta(days=n, hours=2),
            num_planned=3,
            num_indexed=3,
        )
        for n in range(200)
    ]
    index.publish([], [RunRecord(run=run) for run in runs])
    report = read(tmp_path, since="2024-01-01")
    assert len(report.runs) == 200
    assert len(report.timeline.buckets) <= MAX_BUCKETS
    assert sum(bucket.indexed for bucket in report.timeline.buckets) == 600
    assert len(list(report_lines(report))) < 60


def test_recipes_say_which_is_in_use_and_what_changed_since(three_nights, read):
    """The old one's videos are stale, and one comma is the reason."""
    used, stale = read(three_nights).recipes
    assert (used.is_used, used.differs) == (True, ())
    assert (stale.is_used, stale.differs) == (False, ("prompt scenes changed",))
    assert used.videos > stale.videos > 0


def test_it_says_which_models_rows_are_by(tmp_path, make_bundle, make_run_record, read):
    """By name and revision, and that small is not to be taken at its word; in text, JSON and page."""
    index = open_index(str(tmp_path), create=True)
    bundle = make_bundle(model_id="small", model_revision="6f1c2a9b03de77aa", title="Drawn")
    pair = bundle.commit.video_id, bundle.commit.analysis_key
    index.commit(*pair, encode_bundle(bundle))
    record = make_run_record("r1")
    run = record.run.model_copy(update={"model_id": "small"})
    index.publish([pair], [record.model_copy(update={"run": run})])
    report = read(tmp_path)
    text = "\n".join(report_lines(report))
    assert "small (6f1c2a9b03de)" in text
    assert ", by small" in text
    assert text.count("note: The model small understands drawn films") == 1
    page = report_page(report, [])
    assert "small (6f1c2a9b03de)" in page
    assert page.count("The model small understands drawn films") == 1
    (recipe,) = [line for line in json.loads(to_json(asdict(report)))["recipes"] if line["videos"]]
    assert (recipe["model_id"], recipe["model_revision"]) == ("small", "6f1c2a9b03de77aa")
    assert recipe["note"].startswith("The model small understands")


def test_what_is_left_to_do_has_a_command_each(three_nights, read, ask):
    """Counts of the whole index, not of the run alone."""
    steps = {step.what.split(" ", 1)[1]: step for step in read(three_nights).next_steps}
    aside = ask(three_nights, "select count(*) from commits where state = 'quarantined'")[0][0]
    assert any(what.startswith("videos set aside") for what in steps)
    assert steps["videos set aside; why, for one of them"].what.startswith(f"{aside} ")
    assert all(str(three_nights) in step.command for step in steps.values())


def test_the_report_is_json_as_it_is(three_nights, read):
    """Strict JSON, with every section."""
    read_back = json.loads(to_json(asdict(read(three_nights))))
    assert {"runs", "timeline", "reasons", "failures", "spent", "slowest", "recipes"} <= set(read_back)
