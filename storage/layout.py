"""Names of an index's files, relative to its root. They hold nothing but [a-z0-9_./-].

index.json                                    says that this is an index
bundles/<video_id[:2]>/<video_id>/<analysis_key>.parquet   one video's rows: the commit
tables/<table>/<snapshot>-<token>.parquet     flat rows, immutable
tables/runs/<run_id>.parquet                  one run; the name makes publishing it twice harmless
snapshots/<number>.json                       which of the parts count; the highest number is the newest
views.sql                                     the same as SQL views, for plain DuckDB
serving.duckdb                                one file made from one snapshot; only beside a local index
recipes/<recipe_id>.json                      what the rows' recipe ids stand for
leases/<number>.json                          who is at work on the index; the highest number counts
plans/<run_id>.plan                           the videos that a run at work has for itself
"""

import secrets

MARKER = "index.json"
VIEWS = "views.sql"
BUNDLES = "bundles/"
SNAPSHOTS = "snapshots/"
RECIPES = "recipes/"
LEASES = "leases/"
PLANS = "plans/"


def bundle_key(video_id: str, analysis_key: str) -> str:
    return f"{BUNDLES}{video_id[:2]}/{video_id}/{analysis_key}.parquet"


def snapshot_key(number: int) -> str:
    return f"{SNAPSHOTS}{number:010d}.json"


def new_part_key(table: str, snapshot: int) -> str:
    """A name nobody else will choose, so a part can never be overwritten."""
    return f"tables/{table}/{snapshot:010d}-{secrets.token_hex(8)}.parquet"


def recipe_key(recipe_id: str) -> str:
    return f"{RECIPES}{recipe_id}.json"


def lease_key(number: int) -> str:
    return f"{LEASES}{number:010d}.json"


def plan_key(run_id: str) -> str:
    return f"{PLANS}{run_id}.plan"


def run_part_key(run_id: str) -> str:
    return f"tables/runs/{run_id}.parquet"
