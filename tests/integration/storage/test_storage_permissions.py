"""The policies in infra/iam are what is needed and no more, as told by what an S3 server was asked.

What runs ask is held against theirs in tests/integration/run/test_run_s3.py.
"""

import pytest
from s3_calls import Call, recorded, refused, statements, unused

from storage.index.leases import holding

pytestmark = pytest.mark.parametrize("place", ["s3"], indirect=True)


def asked(calls, place) -> set[Call]:
    return {call.in_policies(None, place.url.removeprefix("s3://")) for call in calls}


def test_who_asks_needs_to_read_and_upkeep_to_remove_too(place, make_bundle, media_index):
    """Questions need leave to list and read; what only upkeep needs besides that of a run is to remove."""
    options = ("--index", place.url, "--endpoint-url", place.endpoint_url)
    place.publish(make_bundle(uri="s3://library/1.mp4"), make_bundle(uri="s3://library/2.mp4"))
    with recorded() as calls:
        assert media_index("sql", "select title from scenes", *options).code == 0
    made = asked(calls, place)
    assert (refused("read.json", made), unused("read.json", made)) == (set(), [])

    with recorded() as calls:
        assert media_index("build", "--words-only", *options).code == 0
    made = asked(calls, place)
    assert refused("run.json", made) == set()
    assert any(call.key.startswith("catalog/serving/") for call in made)

    with recorded() as calls:
        assert media_index("compact", *options).code == 0
        assert media_index("vacuum", "--older-than", "0d", *options).code == 0
        assert media_index("forget", "--yes", "1.mp4", *options).code == 0
    made = asked(calls, place)
    assert (refused("upkeep.json", made), unused("upkeep.json", made)) == (set(), [])
    assert {call.action for call in refused("run.json", made)} == {"s3:DeleteObject"}


def test_a_run_removes_old_leases(place):
    """The one thing that a policy for runs allows for what only many of them do."""
    with recorded() as calls:
        for _ in range(11):
            with holding(place.store(), "run", print):
                pass
    made = asked(calls, place)
    assert refused("run.json", made) == set()
    leases = {what for what in statements("run.json") if what[2].endswith("/leases/*")}
    assert leases
    assert not leases & set(unused("run.json", made))
