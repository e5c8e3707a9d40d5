"""Names of an index's files, relative to its root. They hold nothing but [a-z0-9_./-].

index.json                                    says that this is an index
bundles/<video_id[:2]>/<video_id>/<analysis_key>.parquet   one video's rows: the commit
tables/<table>/<snapshot>-<token>.parquet     flat rows, immutable
tables/runs/<run_id>.parquet                  one run; the name makes publishing it twice harmless
snapshots/<number>.json                       which of the parts count; the highest number is the newest
views.sql                                     the same as SQL views, for plain DuckDB
serving.duckdb                                one file made from one snapshot; beside a local index
serving/<snapshot>-<made from and by>-<vectors>.duckdb   the same of an index on S3, which readers fetch once
recipes/<recipe_id>.json                      what the rows' recipe ids stand for
leases/<number>.json                          who is at work on the index; the highest number counts
plans/<run_id>.plan                           the videos that a run at work has for itself
packs/<snapshot>-<token>.pack                 copies of small parts together, for readers on S3
forgetting/<video_id>.json                    a video that is being forgotten; the last file of it to go
probes/<token>                                written and removed again, to see what the store does
"""

import re
import secrets

from schemas.identity import VideoId

MARKER = "index.json"
VIEWS = "views.sql"
BUNDLES = "bundles/"
SNAPSHOTS = "snapshots/"
RECIPES = "recipes/"
LEASES = "leases/"
PLANS = "plans/"
BUNDLES = "bundles/"
PARTS = "tables/"
FORGETTING = "forgetting/"
PROBES = "probes/"
PACKS = "packs/"
SERVING = "serving/"

_MERGED = re.compile(r"\d{10}-[0-9a-f]{16}")  # what `new_part_key` names a part, and no run is called


def bundle_key(video_id: VideoId, analysis_key: str) -> str:
    """Return the key of a video's bundle."""
    return f"{bundles_of(video_id)}{analysis_key}.parquet"


def bundles_of(video_id: VideoId) -> str:
    """The folder of its bundles, with the slash."""
    return f"{BUNDLES}{video_id[:2]}/{video_id}/"


def snapshot_key(number: int) -> str:
    """Return the key of a snapshot; keys sort as their numbers do."""
    return f"{SNAPSHOTS}{number:010d}.json"


def new_part_key(table: str, snapshot: int) -> str:
    """A name nobody else will choose, so a part can never be overwritten."""
    return f"{PARTS}{table}/{snapshot:010d}-{secrets.token_hex(8)}.parquet"


def new_pack_key(snapshot: int) -> str:
    """Return a key for a new pack of a snapshot's parts, unlike any other."""
    return f"{PACKS}{snapshot:010d}-{secrets.token_hex(8)}.pack"


def serving_key(snapshot: int, made: str, vectors: str) -> str:
    """Return the key of a shared search database: `made` tells what it was made from and by, `vectors` by
    which model they are."""
    return f"{SERVING}{snapshot:010d}-{made}-{vectors}.duckdb"


def table_of(part: str) -> str:
    """The table whose rows a part has."""
    return part.removeprefix(PARTS).partition("/")[0]


def recipe_key(recipe_id: str) -> str:
    """Return the key of a recipe's record."""
    return f"{RECIPES}{recipe_id}.json"


def lease_key(number: int) -> str:
    """Return the key of a lease; keys sort as their numbers do."""
    return f"{LEASES}{number:010d}.json"


def plan_key(run_id: str) -> str:
    """Return the key of the plan that a run executes."""
    return f"{PLANS}{run_id}.plan"


def run_part_key(run_id: str) -> str:
    """Return the key of the part that holds a run's row of `runs`."""
    return f"{PARTS}runs/{run_id}.parquet"


def run_id_of(part: str) -> str | None:
    """The run whose own part this is; None: runs were merged in it."""
    name = part.removeprefix(f"{PARTS}runs/").removesuffix(".parquet")
    return None if _MERGED.fullmatch(name) else name


def forgetting_key(video_id: VideoId) -> str:
    """Return the key of the note that a video is being forgotten."""
    return f"{FORGETTING}{video_id}.json"


def new_probe_key() -> str:
    """Return a key for an object that tries what the store can do, unlike any other."""
    return f"{PROBES}{secrets.token_hex(8)}"
