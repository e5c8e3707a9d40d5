"""A backup as docs/deploy.md makes it: a copy of the snapshots, then of everything else."""

import shutil
from pathlib import Path

import pytest

from schemas.failures import PreflightError

SNAPSHOTS, OTHERS = ("snapshots",), ("index.json", "bundles", "recipes", "tables", "views.sql")


def copy(place, backup, names) -> None:
    """What a sync does: files that the backup has stay as they are. Leases and plans are left out."""
    for name in names:
        source, target = Path(place.url) / name, Path(backup.url) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, target)


def uris(place) -> list[str]:
    return [uri for (uri,) in place.query("SELECT uri FROM videos ORDER BY uri")]


@pytest.fixture
def backup(disk, tmp_path):
    return type(disk)(str(tmp_path / "backup"), None)


def test_a_copy_beside_a_run_is_what_was_there_and_can_be_gone_on_with(disk, backup, make_bundle):
    """Snapshots first: what they list is copied after them, and what comes meanwhile is listed by none."""
    disk.publish(make_bundle(uri="s3://library/1.mp4"))
    copy(disk, backup, SNAPSHOTS)
    disk.publish(make_bundle(uri="s3://library/2.mp4"))
    copy(disk, backup, OTHERS)
    assert uris(backup) == ["s3://library/1.mp4"]
    backup.publish(make_bundle(uri="s3://library/3.mp4"))
    assert uris(backup) == ["s3://library/1.mp4", "s3://library/3.mp4"]


def test_the_other_way_round_it_is_damaged(disk, backup, make_bundle):
    """And says so: the newest snapshot lists files that came after the copy of them."""
    disk.publish(make_bundle(uri="s3://library/1.mp4"))
    copy(disk, backup, OTHERS)
    disk.publish(make_bundle(uri="s3://library/2.mp4"))
    copy(disk, backup, SNAPSHOTS)
    with pytest.raises(PreflightError, match=r"videos/0000000003"):
        uris(backup)
