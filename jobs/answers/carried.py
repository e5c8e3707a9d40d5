"""Answers that a video has already: rows of an earlier bundle that go into the next one as they are.

They keep the run, the recipe and the time that they were made in; only the bundle they belong to changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jobs.attempts.work import Work
from jobs.prompts.pack import Prompt, own_tables
from jobs.signals.signal import Signal
from schemas.answers import SceneAnswer, SceneText
from schemas.measured import MEASURED_TABLES, Measured
from schemas.rows import Row
from schemas.tables import Character, Failure, Highlight, Scene, Video
from storage.index.commits.bundles import read_bundle, rows_of
from storage.index.layout import bundle_key
from storage.objects.store import ObjectStore

R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Carried:
    """The rows of prompts that are not asked again, and of signals that are not read again.

    `video` is there for its summary only.
    """

    video: Video | None = None
    characters: tuple[Character, ...] = ()
    scenes: tuple[Scene, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    own: tuple[tuple[str, tuple[Row, ...]], ...] = ()
    measured: tuple[tuple[str, tuple[Measured, ...]], ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def roster(self) -> tuple[str, ...]:
        """The characters' labels, as later prompts are told them."""
        return tuple(character.label for character in self.characters)

    @property
    def prior_scenes(self) -> tuple[SceneAnswer, ...]:
        """The scenes, as later prompts are told them."""
        labels = {character.character_id: character.label for character in self.characters}
        return tuple(
            SceneAnswer(
                start_ms=scene.model_start_ms,
                end_ms=scene.model_end_ms,
                characters=[labels[one] for one in scene.character_ids if one in labels],
                **scene.model_dump(include=set(SceneText.model_fields)),
            )
            for scene in self.scenes
        )


NOTHING_CARRIED = Carried()


def asked_of(prompts: Sequence[Prompt], work: Work) -> tuple[Prompt, ...]:
    """The prompts to ask of this video."""
    return tuple(prompt for prompt in prompts if work.tasks is None or prompt.name in work.tasks)


def signals_of(signals: Sequence[Signal], work: Work) -> tuple[Signal, ...]:
    """The signals to read of this video."""
    return tuple(signal for signal in signals if work.signals is None or signal.name in work.signals)


def read_carried(
    store: ObjectStore | None, work: Work, prompts: Sequence[Prompt], signals: Sequence[Signal] = ()
) -> Carried:
    """Read what is carried over into the bundle of this work: all but answers of `prompts` to ask and rows of
    `signals` to read. Raises `storage.errors` and `PreflightError`."""
    if work.tasks is None and work.signals is None:  # all is made anew
        return NOTHING_CARRIED
    bundle = earlier_bundle(store, work)
    return NOTHING_CARRIED if bundle is None else carried_from(bundle, work, prompts, signals)


def carried_from(bundle: Any, work: Work, prompts: Sequence[Prompt], signals: Sequence[Signal]) -> Carried:
    """The same out of the bundle that the work carries over from."""
    kept = [prompt for prompt in prompts if work.tasks is not None and prompt.name not in work.tasks]
    names = {prompt.name for prompt in kept}

    def carried(name: str, row_type: type[R]) -> tuple[R, ...]:
        return tuple(moved_to(work, row) for row in rows_of(bundle, name, row_type))

    anew = signals_of(signals, work)
    renewed = {table for signal in anew for table in signal.tables}
    videos = carried("videos", Video)
    prompt_ids = {prompt.prompt_id for prompt in kept}
    return Carried(
        video=videos[0] if "summary" in names and videos else None,
        characters=carried("characters", Character) if "characters" in names else (),
        scenes=carried("scenes", Scene) if "scenes" in names else (),
        highlights=carried("highlights", Highlight) if "highlights" in names else (),
        own=tuple((name, carried(name, row_type)) for name, row_type in own_tables(kept).items()),
        measured=tuple(
            (name, carried(name, row_type))
            for name, row_type in MEASURED_TABLES.items()
            if name not in renewed
        ),
        failures=tuple(
            row
            for row in carried("failures", Failure)
            if row.prompt_id in prompt_ids or (row.signal_id and not is_about_any(row, anew))
        ),
    )


def earlier_bundle(store: ObjectStore | None, work: Work) -> Any:
    """The bundle that the work carries over from; None: there is none."""
    if work.carried_key is None or store is None:
        return None
    key = bundle_key(work.video.video_id, work.carried_key)
    return read_bundle(store.read(key), f"{store.url}/{key}")


def is_about_any(failure: Failure, signals: Sequence[Signal]) -> bool:
    """Whether one of these signals failed, in whatever version it was read then."""
    name = (failure.signal_id or "").partition("@")[0]
    return any(signal.name == name for signal in signals)


def moved_to(work: Work, row: R) -> R:
    """The row in the bundle of this work."""
    changes: dict[str, Any] = {"analysis_key": work.analysis_key}
    return row.model_copy(update=changes)
