"""A nightly for Airflow 3: each exit code of a run becomes what Airflow should do next.

The command needs to be on the worker's PATH. A run may be repeated at any time, so retries are safe; they are
made only where repeating the same command helps.
"""

import subprocess
from datetime import datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

COMMAND = ("media-index", "run", "--config", "/etc/media-index/media-index.toml", "--log-format", "json")
NEXT = {
    0: "done",
    1: "again",
    2: "fail",
    3: "done",  # files were set aside, which the report tells
    4: "fail",  # more failures than the budget: somebody should look first
    5: "skip",  # another run is at work
    6: "again",
    7: "again",  # no GPU came in time
    8: "fail",
    130: "again",
}


def go_on(code: int) -> None:
    """Tell Airflow. A code that this file does not know is a failure."""
    what = NEXT.get(code, "fail")
    if what == "skip":
        raise AirflowSkipException(f"media-index ended with {code}")
    if what == "again":
        raise AirflowException(f"media-index ended with {code}; the same command goes on")
    if what == "fail":
        raise AirflowFailException(f"media-index ended with {code}; repeating it does not help")


@dag(schedule="30 22 * * *", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def media_index_nightly() -> None:
    """Index what is new, every night; one run at a time."""

    @task(retries=3, retry_delay=timedelta(minutes=5))
    def run() -> None:
        go_on(subprocess.run(COMMAND).returncode)

    run()


media_index_nightly()
