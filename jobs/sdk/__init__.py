"""media-index from Python: what the verbs of the command line do, as typed functions. See docs/python.md.

running    plan, run, backfill: what would be spent on which videos, and spending it
asking     search, sql, open_catalog, build: what is in an index
modelling  load_model: the model alone, on any frames

Nothing here ends the process, prints, or keeps a signal handler: errors are `MediaIndexError`s with a hint,
Ctrl-C is a KeyboardInterrupt, and what goes on is told to `logging`.
"""

from jobs.sdk.asking import build, open_catalog, search, sql
from jobs.sdk.modelling import load_model
from jobs.sdk.running import Preview, backfill, plan, run
from jobs.settings.config import Settings
from schemas.failures import MediaIndexError, PreflightError, UsageError
from schemas.tables import Run
from storage.query.built.build import Build
from storage.query.catalog import Catalog, Result
from storage.query.search import Hit

__all__ = [
    "Build",
    "Catalog",
    "Hit",
    "MediaIndexError",
    "PreflightError",
    "Preview",
    "Result",
    "Run",
    "Settings",
    "UsageError",
    "backfill",
    "build",
    "load_model",
    "open_catalog",
    "plan",
    "run",
    "search",
    "sql",
]
