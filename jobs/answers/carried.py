"""Answers that a video has already: rows of an earlier bundle that go into the next one as they are.

They keep the run, the recipe and the time that they were made in; only the bundle they belong to changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jobs.attempts.work import Work
from jobs.prompts.pack import Prompt, own_tables
from schemas.answers import SceneAnswer, SceneText
from schemas.tables import Character, Failure, Highlight, Row, Scene, Video
from storage.index.bundles import read_bundle, rows_of
from storage.index.layout import bundle_key
from storage.objects.store import ObjectStore

R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Carried:
    """The rows of prompts that are not asked again; `video` is there for its summary only."""

    video: Video | None = None
    characters: tuple[Character, ...] = ()
    scenes: tuple[Scene, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    own: tuple[tuple[str, tuple[Row, ...]], ...] = ()
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
    return tuple(prompt for prompt in prompts if not work.tasks or prompt.name in work.tasks)


def read_carried(store: ObjectStore | None, work: Work, prompts: Sequence[Prompt]) -> Carried:
    """What is carried over into the bundle of this work. Raises `storage.errors` and `PreflightError`."""
    if work.carried_key is None or store is None:
        return NOTHING_CARRIED
    kept = [prompt for prompt in prompts if prompt.name not in work.tasks]
    names = {prompt.name for prompt in kept}
    key = bundle_key(work.video.video_id, work.carried_key)
    bundle = read_bundle(store.read(key), f"{store.url}/{key}")

    def carried(name: str, row_type: type[R]) -> tuple[R, ...]:
        return tuple(_moved_to(work, row) for row in rows_of(bundle, name, row_type))

    videos = carried("videos", Video)
    prompt_ids = {prompt.prompt_id for prompt in kept}
    return Carried(
        video=videos[0] if "summary" in names and videos else None,
        characters=carried("characters", Character) if "characters" in names else (),
        scenes=carried("scenes", Scene) if "scenes" in names else (),
        highlights=carried("highlights", Highlight) if "highlights" in names else (),
        own=tuple((name, carried(name, row_type)) for name, row_type in own_tables(kept).items()),
        failures=tuple(row for row in carried("failures", Failure) if row.prompt_id in prompt_ids),
    )


def _moved_to(work: Work, row: R) -> R:
    changes: dict[str, Any] = {"analysis_key": work.analysis_key}
    return row.model_copy(update=changes)
