"""Compaction changes how rows lie, and nothing that a reader sees: on a disk and on S3."""

import pyarrow.parquet as pq
import pytest

from schemas.failures import LeaseHeldError, PreflightError
from storage.index import leases
from storage.index.publishing import parts
from storage.index.publishing.parts import open_part, write_part
from storage.index.publishing.snapshots import create_next, read_newest
from storage.upkeep import compact as compaction
from storage.upkeep.compact import compact


def _compact(place):
    return compact(place.url, place.endpoint_url, wait=lambda holder: None)


def test_readers_see_the_same_rows_in_fewer_files(filled):
    """Every table, with its history; afterwards one part a table, and nothing left to merge."""
    before = filled.contents()
    assert before["sightings"]
    done = _compact(filled)
    assert filled.contents() == before
    snapshot = read_newest(filled.store())
    assert snapshot.number == done.snapshot
    assert {table: len(keys) for table, keys in snapshot.parts.items() if len(keys) != 1} == {}
    assert {"videos", "scenes", "keyframes", "commits", "runs", "unfinished"} <= done.merged.keys()
    assert _compact(filled) is None


def test_rows_lie_sorted_by_video(filled_disk):
    """And those of one analysis in the order in which they were written, which is that of time."""
    _compact(filled_disk)
    snapshot = read_newest(filled_disk.store())
    (key,) = snapshot.files_of("scenes")
    columns = ["video_id", "analysis_key", "scene_index"]
    rows = open_part(filled_disk.store(), key).read(columns).to_pylist()
    assert len(rows) == 19
    assert rows == sorted(rows, key=lambda row: tuple(row.values()))


def test_a_videos_rows_are_found_by_statistics(disk, make_bundle, monkeypatch):
    """A video is in one row group, or two neighbouring ones, of all there are."""
    monkeypatch.setattr(parts, "GROUP_ROWS", 7)
    monkeypatch.setattr(parts, "FILE_BYTES", 9_000)
    monkeypatch.setattr(compaction, "SMALL_BYTES", 20_000)
    bundles = [make_bundle(uri=f"s3://b/{n}", titles=("a" * 90, "b", "c")) for n in range(40)]
    for start in range(0, 40, 8):
        disk.publish(*bundles[start : start + 8])
    assert _compact(disk) is not None
    snapshot = read_newest(disk.store())
    groups = [
        group
        for key in snapshot.files_of("scenes")
        for group in _video_statistics(open_part(disk.store(), key))
    ]
    assert len(groups) >= 120 // 7
    assert len(snapshot.files_of("keyframes")) > 1
    ids = [
        set(open_part(disk.store(), k).read(["video_id"])[0].to_pylist()) for k in snapshot.files_of("scenes")
    ]
    assert len(set.union(*ids)) == sum(map(len, ids)) == 40
    for bundle in bundles:
        video_id = bundle.commit.video_id
        assert 1 <= sum(low <= video_id <= high for low, high in groups) <= 2


def _video_statistics(file: pq.ParquetFile) -> list[tuple[str, str]]:
    metadata = file.metadata
    names = [metadata.schema.column(n).path for n in range(metadata.num_columns)]
    column = names.index("video_id")
    statistics = [metadata.row_group(n).column(column).statistics for n in range(metadata.num_row_groups)]
    return [(found.min, found.max) for found in statistics]


def test_a_large_table_becomes_files_of_the_wanted_size(disk, make_bundle, monkeypatch):
    """Sorted in portions; files that are large enough are left alone the next time."""
    monkeypatch.setattr(parts, "FILE_BYTES", 30_000)
    monkeypatch.setattr(compaction, "SMALL_BYTES", 15_000)
    monkeypatch.setattr(compaction, "ROUND_BYTES", 60_000)
    monkeypatch.setattr(parts, "GROUP_ROWS", 3)
    disk.publish(*(make_bundle(uri=f"s3://b/{n}") for n in range(12)))
    before = disk.contents()
    first = _compact(disk)
    large = [key for key in first.merged["keyframes"].after if key != first.merged["keyframes"].after[-1]]
    disk.publish(make_bundle(uri="s3://b/new"), make_bundle(uri="s3://b/newer"))
    second = _compact(disk)
    sizes = {found.key: found.size_bytes for found in disk.store().list_objects("tables/keyframes/")}
    kept = [key for key in large if sizes[key] >= 15_000]
    assert not set(kept) & set(second.merged["keyframes"].before)
    assert len(disk.contents()["keyframes"]) == len(before["keyframes"]) + 2


def test_a_run_is_published_once_though_its_own_part_was_merged(filled_disk, make_run_record):
    """A publisher that repeats itself, as after a lost answer, finds its run among the merged ones."""
    _compact(filled_disk)
    filled_disk.publish(runs=[make_run_record("run-1"), make_run_record("run-3")])
    runs = filled_disk.query("SELECT run_id FROM runs ORDER BY 1")
    assert runs == [("run-1",), ("run-2",), ("run-3",)]


def test_a_faster_publisher_keeps_its_rows(filled_disk, make_bundle, monkeypatch):
    """Nothing is merged twice: the switch alone is tried again, on top of what was published meanwhile."""
    late = make_bundle(uri="s3://library/late.mp4")
    merges = []
    original = compaction.merge_parts

    def merge(store, base, table, *rest):
        merges.append(table)
        if len(merges) == 1:
            filled_disk.publish(late)
        return original(store, base, table, *rest)

    monkeypatch.setattr(compaction, "merge_parts", merge)
    before = filled_disk.contents()
    _compact(filled_disk)
    assert len(merges) == len(set(merges))
    after = filled_disk.contents()
    assert len(after["scenes"]) == len(before["scenes"]) + 1
    assert [row for row in after["videos"] if row in before["videos"]] == before["videos"]


def test_parts_that_somebody_else_took_away_are_not_listed_twice(filled_disk, monkeypatch):
    """Two compactions at once, as after a lease that was taken from a frozen holder: no row is doubled."""
    before = filled_disk.contents()
    original = compaction.switch_parts

    def switch(store, base, merged):
        monkeypatch.setattr(compaction, "switch_parts", original)
        other = compaction.switch_parts(
            store, base, {t: _again(store, base, t, m) for t, m in merged.items()}
        )
        assert other is not None
        return original(store, base, merged)

    def _again(store, base, table, merged):
        rows = open_part(store, merged.after[0]).read()
        key = write_part(store, merged.after[0].replace(".parquet", "-other.parquet"), rows)
        return compaction.Merged(merged.before, (key,), merged.num_rows)

    monkeypatch.setattr(compaction, "switch_parts", switch)
    assert _compact(filled_disk) is None
    assert filled_disk.contents() == before


def test_a_missing_part_is_named_with_its_remedy(filled_disk):
    """And nothing is switched: what can be merged safely is not the question then."""
    store = filled_disk.store()
    snapshot = read_newest(store)
    store.delete(snapshot.files_of("scenes")[0])
    with pytest.raises(PreflightError, match="missing") as raised:
        _compact(filled_disk)
    assert "compact --index" in raised.value.hint
    assert "--repair" in raised.value.hint
    assert read_newest(store).number == snapshot.number


def test_a_part_of_a_newer_version_is_left_alone(filled_disk):
    """Its unknown columns would be lost."""
    store = filled_disk.store()
    snapshot = read_newest(store)
    rows = open_part(store, snapshot.files_of("scenes")[0]).read()
    rows = rows.append_column("from_the_future", rows.column("title"))
    create_next(store, snapshot, {"scenes": [write_part(store, "tables/scenes/future.parquet", rows)]}, {})
    with pytest.raises(PreflightError, match="from_the_future"):
        _compact(filled_disk)


def test_no_compaction_while_a_video_is_being_forgotten(filled_disk, monkeypatch):
    """It would write the video's rows anew."""
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    with leases.holding(filled_disk.store(), "forget", print), pytest.raises(LeaseHeldError, match="forget"):
        _compact(filled_disk)
    assert _compact(filled_disk) is not None
