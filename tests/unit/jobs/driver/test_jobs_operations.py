"""docs/operations.md says what is true."""

import re

import pytest
from places import ROOT

from jobs.driver.telling.last_run import LAST_RUN
from jobs.driver.telling.metrics import COUNTERS, GAUGES

OPERATIONS = ROOT / "docs" / "operations.md"


@pytest.mark.parametrize(
    ("prefix", "metrics"), [("ray_media_index_", COUNTERS | GAUGES), ("media_index_", LAST_RUN)]
)
def test_every_metric_is_documented(prefix, metrics):
    """With its labels and its own words, and no other."""
    rows = re.findall(rf"^\| `{prefix}(\w+)` \| (.*?) \| (.*?) \|$", OPERATIONS.read_text("utf-8"), re.M)
    documented = {name: (says, labels) for name, labels, says in rows}
    assert documented == {
        name: (says, ", ".join(f"`{key}`" for key in keys)) for name, (says, keys) in metrics.items()
    }
