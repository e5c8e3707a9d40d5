"""docs/operations.md says what is true."""

import re
from pathlib import Path

from jobs.driver.metrics import COUNTERS, GAUGES

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def test_every_metric_is_documented():
    """With its labels and its own words, and no other."""
    rows = re.findall(
        r"^\| `ray_media_index_(\w+)` \| (.*?) \| (.*?) \|$", OPERATIONS.read_text("utf-8"), re.M
    )
    documented = {name: (says, labels) for name, labels, says in rows}
    assert documented == {
        name: (says, ", ".join(f"`{key}`" for key in keys))
        for name, (says, keys) in (COUNTERS | GAUGES).items()
    }
