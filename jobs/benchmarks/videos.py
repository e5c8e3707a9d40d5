"""The video files that questions are about, looked at before any weight is loaded."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jobs.benchmarks.question import Question
from jobs.failures import VideoFailureError
from jobs.workers.domain import DomainGuard
from schemas.failures import PreflightError, UsageError
from storage.library.selection import VIDEO_EXTENSIONS
from videoxl2.frames import DEFAULT_LIMITS, MediaError, MediaInfo, probe

TOLERANCE_S = 2.0  # published times and files are cut and rounded by different hands
_NUM_NAMED = 3


@dataclass(frozen=True)
class Playable:
    """A video that can be read, with its questions."""

    path: Path
    info: MediaInfo
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Checked:
    """The videos that can be asked about, and the problems of those that cannot."""

    videos: tuple[Playable, ...]
    problems: tuple[str, ...]


class VideoFolder:
    """Finds a video by name, at any depth and whatever its extension."""

    def __init__(self, folder: Path) -> None:
        """Raises `UsageError` for no folder."""
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", "Check --videos.")
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(folder.rglob("*")):
            if _is_video(path.name):
                self._by_name[path.stem].append(path)

    def find(self, video: str) -> Path | str:
        """The file, or what is in the way. Of several, the one in the folder that `video` names."""
        wanted = PurePosixPath(video)
        found = self._by_name.get(wanted.stem if _is_video(wanted.name) else wanted.name, [])
        if len(found) > 1:
            found = [path for path in found if path.parent.name == wanted.parent.name] or found
        if len(found) == 1:
            return found[0]
        return "not found" if not found else f"{len(found)} files of this name, as {found[0]} and {found[1]}"


def _is_video(name: str) -> bool:
    return PurePosixPath(name).suffix.lower().removeprefix(".") in VIDEO_EXTENSIONS


def check_videos(
    questions: Sequence[Question], folder: Path, skip_unusable: bool, guard: DomainGuard | None = None
) -> Checked:
    """The questions by video file, in their order. Missing files are named before any file is probed.

    Raises `UsageError` for no folder, and `PreflightError` for videos that are missing, unreadable, too
    short for a question or refused by the guard, unless `skip_unusable`; and where nothing is left.
    """
    files = VideoFolder(folder)
    problems: dict[str, None] = {}  # in order, each once
    by_path: dict[Path, list[Question]] = defaultdict(list)
    for question in questions:
        found = files.find(question.video)
        if isinstance(found, Path):
            by_path[found].append(question)
        else:
            problems[f"{question.video}: {found}"] = None
    num_videos = len(by_path) + len(problems)
    if not skip_unusable:
        _refuse(list(problems), f"of {num_videos} videos are not in {folder}")
    videos = []
    for path, about in by_path.items():
        playable, found_wrong = _probe(path, about, guard)
        videos += [playable] if playable else []
        problems |= dict.fromkeys(found_wrong)
    if not skip_unusable:
        _refuse(list(problems), f"problems with {num_videos} videos")
    if questions and not videos:
        raise PreflightError(f"no question is left: {next(iter(problems))}", "Check --videos.")
    return Checked(tuple(videos), tuple(problems))


def _probe(
    path: Path, questions: list[Question], guard: DomainGuard | None
) -> tuple[Playable | None, list[str]]:
    """The video with the questions that it is long enough for, and what is wrong."""
    try:
        info = probe(path)
        if guard:
            guard.check(path, info, DEFAULT_LIMITS)
    except (MediaError, OSError) as error:
        return None, [f"{path.name}: {error}"]
    except VideoFailureError as outside:
        return None, [f"{path.name}: {outside.failure.message}"]
    end_s = info.duration_ms / 1000
    late = [q for q in questions if q.latest_s is not None and q.latest_s > end_s + TOLERANCE_S]
    problems = [f"{path.name} ends at {end_s:.1f} s, {q.where} asks about {q.latest_s:g} s" for q in late]
    fitting = tuple(question for question in questions if question not in late)
    return (Playable(path, info, fitting) if fitting else None), problems


def _refuse(problems: Sequence[str], what: str) -> None:
    if problems:
        named = "; ".join(problems[:_NUM_NAMED])
        more = f"; and {len(problems) - _NUM_NAMED} more" if len(problems) > _NUM_NAMED else ""
        raise PreflightError(
            f"{len(problems)} {what}: {named}{more}",
            "Add or repair the files, ask a model that was made for such videos, or leave their questions "
            "out with --skip-unusable.",
        )
