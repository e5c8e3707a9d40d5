"""The verbs that keep an index in order: `compact`, `vacuum`, `forget`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.verb import index_options, verb
from jobs.settings.given import index_place
from jobs.settings.times import parse_duration
from jobs.ui.terminal import say, show_json
from jobs.ui.words import size, visible
from schemas.failures import UsageError

if TYPE_CHECKING:
    from storage.index.leases import Holder
    from storage.upkeep.compact import Compaction
    from storage.upkeep.forget import Receipt
    from storage.upkeep.repair import Repair
    from storage.upkeep.vacuum import Vacuum


def _wait(holder: "Holder") -> None:
    say(
        f"{holder.kind} {holder.run_id} on {holder.host} may be at work; watching whether it is alive",
        err=True,
    )


@verb("compact --index s3://catalog", "compact --index catalog --repair")
@index_options
@click.option("--repair", is_flag=True, help="Make parts that are missing or damaged anew from the bundles.")
@click.option("--scratch", type=click.Path(path_type=Path), help="Folder to sort in. [temporary]")
def compact(as_json: bool, repair: bool, scratch: Path | None, **flags: Any) -> None:
    """Merge small files into large ones sorted by video, so that questions are answered faster.

    Safe at any time, beside runs and readers too. The old files stay until `vacuum` removes them.
    """
    from storage.upkeep.compact import compact as compact_index
    from storage.upkeep.repair import repair as repair_index

    place = index_place(flags)
    if repair:
        mended = repair_index(*place, _wait)
        return show_json(mended) if as_json else _show_repair(mended)
    done = compact_index(*place, _wait, scratch)
    return show_json(done) if as_json else _show_compaction(done)


def _show_compaction(done: "Compaction | None") -> None:
    if done is None:
        say("nothing to merge")
        return
    for table, merged in done.merged.items():
        say(f"{table}: {len(merged.before)} files into {len(merged.after)}, {merged.num_rows} rows")
    say(f"snapshot {done.snapshot}")


def _show_repair(done: "Repair | None") -> None:
    if done is None:
        say("nothing to repair: every file that the newest snapshot lists can be read")
        return
    for problem in done.damaged.values():
        say(f"damaged: {problem}")
    for table, num_rows in done.rows.items():
        say(f"{table}: {num_rows} rows made anew")
    say(f"snapshot {done.snapshot}")
    for table in done.incomplete_tables:
        say(f"warning: {table}: {_LOST[table]}", err=True)
    for bundle in done.lost_bundles:
        say(f"warning: {bundle} is gone too; what the damaged files had of it is lost", err=True)


_LOST = {
    "commits": "which videos were deleted or released is lost; the next run finds deleted ones again",
    "runs": "the rows of runs that the damaged files held are lost",
    "unfinished": "why no run could settle some videos is lost; the next run tries them again",
    "attempts": "attempts at videos that no run could settle are lost",
}


@verb("vacuum --index s3://catalog --dry-run", "vacuum --index s3://catalog --older-than 30d")
@index_options
@click.option(
    "--older-than", default="7d", show_default=True, metavar="AGE", help="E.g. 30d, 12h, P2W or 0d."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def vacuum(as_json: bool, older_than: str, dry_run: bool, **flags: Any) -> None:
    """Remove files that nobody needs any more: what compaction replaced, what crashes left behind."""
    from storage.upkeep.vacuum import vacuum as vacuum_index

    try:
        limit = parse_duration(older_than)
    except ValueError as error:
        raise UsageError(f"--older-than {older_than} is no duration", str(error)) from None
    done = vacuum_index(*index_place(flags), _wait, limit, dry_run)
    if as_json:
        show_json(done)
    else:
        _show_vacuum(done, dry_run)


def _show_vacuum(done: "Vacuum", dry_run: bool) -> None:
    verb = "would be removed" if dry_run else "removed"
    for kind, files in done.removed.items():
        if files.num_files:
            say(f"{kind}: {files.num_files} files {verb}, {size(files.num_bytes)}")
    if not any(files.num_files for files in done.removed.values()):
        say("nothing to remove")
    if done.is_busy:
        say("note: somebody is at work, so bundles that no commit names were left", err=True)
    if done.num_unknown:
        say(f"note: {done.num_unknown} files that are not media-index's were left", err=True)


@verb(
    "forget --index s3://catalog s3://films/private/party.mp4",
    "forget --index catalog --yes --json party.mp4 > receipt.json",
)
@click.argument("video")
@index_options
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal to ask on.")
def forget(video: str, as_json: bool, yes: bool, **flags: Any) -> None:
    """Remove everything about VIDEO from the index, history included, and give a receipt.

    VIDEO is its URI, the end of it, or a video_id. The video itself is not touched, so the next run indexes
    it again unless it is deleted or excluded.
    """
    from storage.upkeep.forget import find_forgettable
    from storage.upkeep.forget import forget as forget_video

    place = index_place(flags)
    found = find_forgettable(*place, video)
    name = found.uri or found.video_id
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"{name} would be forgotten for good", "Add --yes.")
        click.confirm(
            f"Remove everything about {visible(name)} from {place[0]} for good?",
            abort=True,
            err=True,
        )
    receipt = forget_video(*place, found, _wait)
    if as_json:
        show_json(receipt)
    else:
        _show_receipt(receipt)


def _show_receipt(receipt: "Receipt") -> None:
    say(f"forgotten: {receipt.uri or '(uri not known)'}, video_id {receipt.video_id}")
    say(f"index: {receipt.index}, {receipt.forgotten_at:%Y-%m-%d %H:%M:%S} UTC")
    rows = ", ".join(f"{table} {num_rows}" for table, num_rows in receipt.rows.items())
    say(f"rows removed: {rows or 'none, the index listed none'}")
    say(f"files: {receipt.files_rewritten} rewritten without it, {receipt.files_deleted} deleted")
    say(f"verified: none of the index's {receipt.files_verified} files holds it any more")
    for uri in receipt.copies:
        say(f"note: {uri} has the same bytes and is still in the index", err=True)
    say(
        "note: the next run indexes it again unless the object is deleted or excluded (--exclude);",
        "note: serving files that were built on other machines or with --output must be built anew",
        err=True,
    )
