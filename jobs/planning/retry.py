"""Take videos out of quarantine."""

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.commit import Commit, CommitState
from schemas.failures import UsageError
from schemas.identity import new_run_id
from storage.index.index import open_index
from storage.query.catalog import Catalog, open_catalog

_QUARANTINED = """
SELECT c.* EXCLUDE (snapshot), f.code FROM commits AS c LEFT JOIN failures AS f USING (analysis_key)
WHERE c.state = 'quarantined' ORDER BY c.uri"""

_OUT_OF_DOMAIN = "SELECT uri FROM commits WHERE state = 'rows' AND failure_class = 'domain'"


def release(
    url: str, endpoint_url: str | None, videos: Sequence[str], codes: Sequence[str], everything: bool
) -> list[str]:
    """The URIs of those released: named by the end of their URI, by why they were set aside, or all.

    UsageError: nothing was named, or a name stands for no video that is set aside, or for one
    that is set aside for its model alone.
    """
    if not (videos or codes or everything):
        raise UsageError("retry was not told which videos", "Name them, or say --code CODE or --all.")
    with open_catalog(url, endpoint_url) as catalog:
        found = _quarantined(catalog)
        out_of_domain = [uri for (uri,) in catalog.query(_OUT_OF_DOMAIN).rows]
    for name in videos:
        if any(uri.endswith(name) for uri in out_of_domain):
            raise UsageError(
                f"{name} is set aside for its model alone, which was not made for such videos",
                "Another try would end alike; another model is asked by `media-index backfill --missing`.",
            )
        if not any(commit.uri.endswith(name) for commit, _ in found):
            raise UsageError(f"no video {name} is set aside", "`media-index status` says which are.")
    chosen = [
        commit
        for commit, code in found
        if everything or code in codes or any(commit.uri.endswith(name) for name in videos)
    ]
    now = datetime.now(UTC)
    run_id = new_run_id(now, "retry")
    changes = {"state": CommitState.RELEASED, "run_id": run_id, "created_at": now}
    open_index(url, endpoint_url).publish((), marks=[one.model_copy(update=changes) for one in chosen])
    return [commit.uri for commit in chosen]


def _quarantined(catalog: Catalog) -> list[tuple[Commit, str]]:
    rows = catalog.query(_QUARANTINED).records
    return [(Commit(**{k: v for k, v in row.items() if k != "code"}), row["code"]) for row in rows]
