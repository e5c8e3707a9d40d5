"""An index as nights leave it: runs, tries that failed, videos set aside, recipes that changed."""

import hashlib
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from schemas.commit import Bundle, Commit, CommitState, RunRecord
from schemas.identity import VideoObject, digest
from schemas.recipe import RecipeRecord
from schemas.tables import Attempt, Failure, Keyframe, Run, Scene, Video
from storage.index.commits.bundles import encode_bundle
from storage.index.index import Index, open_index

FIRST_NIGHT = datetime(2026, 11, 20, 1, tzinfo=UTC)
OLD_RECIPE, NEW_RECIPE = "0ld0ld0ld0ld0ld0", "2ec12ec12ec12ec1"
# failure class, code, stage, message, hint, is it the last word
TROUBLES = (
    ("media", "no_video", "fetch", "no video stream", "the object holds sound only; replace it", True),
    ("media", "damaged", "read", "no picture could be read", "replace the object", True),
    ("bug", "KeyError", "rows", "'C9'", "please report it with the traceback in the failures table", True),
    ("transient", "throttled", "fetch", "503 SlowDown", "ask for a higher request rate", False),
    ("lost", "machine_lost", "model", "its machine went away", "nothing to do", False),
    ("resource", "out_of_memory", "model", "CUDA out of memory", "use fewer --max-frames", False),
)


def run_id_of(night: int) -> str:
    return f"{FIRST_NIGHT + timedelta(days=night):%Y%m%dT%H%M%SZ}-{digest('run', str(night))[:6]}"


def draw_picture(seed: int) -> bytes:
    """A JPEG that looks a little like a landscape."""
    dice = random.Random(seed)
    picture = Image.new("RGB", (320, 180), tuple(dice.randrange(90, 230) for _ in range(3)))
    pen = ImageDraw.Draw(picture)
    for depth in range(5):
        shade = tuple(dice.randrange(20, 200 - depth * 35) for _ in range(3))
        top = 60 + depth * 25
        pen.polygon([(0, 180), (0, top), (dice.randrange(320), top - 40), (320, top), (320, 180)], fill=shade)
    pen.ellipse([dice.randrange(260), 12, dice.randrange(270, 300), 52], fill=(250, 230, 170))
    sink = BytesIO()
    picture.save(sink, "JPEG", quality=70)
    return sink.getvalue()


class Nights:
    """Draws runs into an index, one after the other; same seed, same rows."""

    def __init__(self, folder: Path, make_row: Callable[..., Any]) -> None:
        self.index: Index = open_index(str(folder), create=True)
        self.row = make_row
        self.dice = random.Random(7)
        for recipe_id, scenes in ((OLD_RECIPE, "Describe the scenes"), (NEW_RECIPE, "Describe the scenes.")):
            self.index.declare_recipe(
                RecipeRecord(
                    recipe_id=recipe_id,
                    model_id="BAAI/Video-XL-2",
                    model="bf16-1",
                    sampling="1-2048",
                    settings={"revision": "r1", "dtype": "auto", "fps": "1", "max_frames": "2048"},
                    tasks={"summary": "s1", "scenes": digest(scenes), "highlights": "h1"},
                    prompts={
                        "summary": "Sum it up",
                        "scenes": scenes,
                        "highlights": "What is worth showing?",
                    },
                )
            )

    def video(self, night: int, number: int) -> VideoObject:
        day = FIRST_NIGHT + timedelta(days=night)
        uri = f"s3://films/{day:%Y/%m/%d}/camera-{number % 4 + 1}/take {number:04}.mp4"
        etag = hashlib.md5(uri.encode()).hexdigest()
        return VideoObject(uri, 700_000_000 + number, int(day.timestamp() * 1e9), etag)

    def night(self, number: int, num_videos: int, recipe_id: str = NEW_RECIPE, **run: Any) -> str:
        """One run over new videos on two GPUs; about one in twelve meets trouble. Its id."""
        run_id = run_id_of(number)
        started_at = FIRST_NIGHT + timedelta(days=number)
        free_at = [started_at + timedelta(seconds=40)] * 2
        keys, left, left_attempts, counts = (
            [],
            [],
            [],
            dict.fromkeys(("indexed", "partial", "quarantined"), 0),
        )
        for n in range(num_videos):
            actor = free_at.index(min(free_at))
            trouble = TROUBLES[self.dice.randrange(len(TROUBLES))] if self.dice.random() < 0.12 else None
            bundle, attempts, last = self.draw(run_id, recipe_id, number, n, free_at[actor], actor, trouble)
            free_at[actor] = last
            if bundle is None:
                left.append(self._failure(attempts[-1], trouble, "next_run"))
                left_attempts += attempts
                continue
            counts[attempts[-1].outcome] += 1
            self.index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
            keys.append((bundle.commit.video_id, bundle.commit.analysis_key))
        record = self.row(
            Run,
            **{
                "run_id": run_id,
                "started_at": started_at,
                "ended_at": max(free_at) + timedelta(seconds=30),
                "exit_code": 3 if left or counts["quarantined"] or counts["partial"] else 0,
                "library": "s3://films",
                "model_id": "BAAI/Video-XL-2",
                "recipe_id": recipe_id,
                "settings_json": json.dumps(
                    {"library": "s3://films", "index": "elsewhere", "model": "BAAI/Video-XL-2"}
                ),
                "num_listed": num_videos * (number + 1),
                "num_unchanged": num_videos * number,
                "num_planned": num_videos,
                "num_unfinished": len(left),
                "video_ms": 1_800_000 * num_videos,
                "prefill_seconds": 60.0 * num_videos,
                "generate_seconds": 30.0 * num_videos,
                **{f"num_{name}": count for name, count in counts.items()},
                **run,
            },
        )
        self.index.publish(keys, [RunRecord(run=record, failures=tuple(left), attempts=tuple(left_attempts))])
        return run_id

    def draw(
        self,
        run_id: str,
        recipe_id: str,
        night: int,
        number: int,
        at: datetime,
        actor: int,
        trouble: tuple[Any, ...] | None,
    ) -> tuple[Bundle | None, list[Attempt], datetime]:
        """One video on one actor: its bundle if any, its tries, and when the actor is free."""
        video = self.video(night, number)
        ids = {
            "video_id": video.video_id,
            "object_rev": video.object_rev,
            "recipe_id": recipe_id,
            "analysis_key": video.analysis_key(recipe_id),
            "run_id": run_id,
        }
        shared = {**ids, "uri": video.uri, "plan_reason": "new" if number % 5 else "changed"}
        shared |= {"node": f"gpu-{actor + 1}", "device": "NVIDIA H200"}
        attempts = []
        if trouble:
            failure_class, code, stage, *_, is_final = trouble
            ends_here = is_final or number % 7 == 0
            outcome = ("quarantined" if is_final else "next_run") if ends_here else "retried"
            seconds = self.dice.uniform(2, 30)
            attempts.append(
                self.row(
                    Attempt,
                    **shared,
                    attempt=1,
                    started_at=at,
                    seconds=seconds,
                    outcome=outcome,
                    stage=stage,
                    failure_class=failure_class,
                    code=code,
                    fingerprint=digest(failure_class, code),
                    wait_seconds=seconds / 2,
                    prefill_seconds=seconds,
                )
            )
            at += timedelta(seconds=seconds)
            if ends_here and not is_final:
                return None, attempts, at
            if ends_here:
                failure = self._failure(attempts[-1], trouble, "quarantined")
                commit = self.row(
                    Commit,
                    **ids,
                    uri=video.uri,
                    state=CommitState.QUARANTINED,
                    created_at=at,
                    failure_class=failure_class,
                    content_rev=video.content_rev,
                )
                return Bundle(commit=commit, failures=(failure,), attempts=tuple(attempts)), attempts, at
        minutes = self.dice.lognormvariate(3.2, 0.6)
        wait, prefill, generate = minutes * 0.15, minutes * 2.2, minutes * self.dice.uniform(0.6, 1.4)
        is_partial = number % 19 == 3
        attempts.append(
            self.row(
                Attempt,
                **shared,
                attempt=len(attempts) + 1,
                started_at=at,
                seconds=prefill + generate + 4,
                outcome="partial" if is_partial else "indexed",
                wait_seconds=wait,
                prefill_seconds=prefill,
                generate_seconds=generate,
                finish_seconds=4.0,
                video_ms=int(minutes * 60_000),
                peak_memory_bytes=int(38e9 + minutes * 2e8),
                num_frames=int(minutes * 60),
                num_output_tokens=900,
            )
        )
        at += timedelta(seconds=prefill + generate)
        lineage = {**ids, "created_at": at, "model_id": "BAAI/Video-XL-2"}
        return (
            Bundle(
                commit=self.row(Commit, **ids, uri=video.uri, created_at=at, content_rev=video.content_rev),
                videos=(
                    self.row(
                        Video,
                        **lineage,
                        uri=video.uri,
                        title=f"Take {number} at the harbour",
                        prompt_id="summary@1",
                        duration_ms=int(minutes * 60_000),
                        is_partial=is_partial,
                        etag=video.etag,
                        warnings=["2 pictures could not be read"] if number % 9 == 4 else [],
                    ),
                ),
                scenes=tuple(
                    self.row(
                        Scene,
                        **lineage,
                        prompt_id="scenes@1",
                        scene_index=n,
                        start_ms=n * 60_000,
                        end_ms=(n + 1) * 60_000,
                        title=f"Boats come in, part {n + 1}",
                    )
                    for n in range(3)
                ),
                keyframes=(
                    self.row(
                        Keyframe,
                        **lineage,
                        prompt_id="scenes@1",
                        table_name="scenes",
                        row_index=0,
                        at_ms=1500,
                        media_type="image/jpeg",
                        image=draw_picture(night * 1000 + number),
                    ),
                ),
                failures=(self._failure(attempts[-1], _CUT_SHORT, "kept_valid_part"),) if is_partial else (),
                attempts=tuple(attempts),
            ),
            attempts,
            at,
        )

    def _failure(self, attempt: Attempt, trouble: tuple[Any, ...] | None, action: str) -> Failure:
        assert trouble
        failure_class, code, stage, message, hint, _ = trouble
        names = ("video_id", "object_rev", "recipe_id", "analysis_key", "run_id", "uri")
        return self.row(
            Failure,
            **{name: getattr(attempt, name) for name in names},
            created_at=attempt.started_at,
            failure_class=failure_class,
            code=code,
            stage=stage,
            message=message,
            hint=hint,
            action=action,
            attempts=attempt.attempt,
            prompt_id="scenes@1" if failure_class == "answer" else None,
        )


_CUT_SHORT = (
    "answer",
    "cut_short",
    "model",
    "2 windows ended with their tokens",
    "what is valid became rows",
    True,
)


@pytest.fixture(scope="session")
def draw_nights(make_row: Callable[..., Any]) -> Callable[[Path], Nights]:
    """`draw_nights(folder)`: an empty index, into which its methods draw runs."""
    return lambda folder: Nights(folder, make_row)


@pytest.fixture(scope="session")
def three_nights(tmp_path_factory: pytest.TempPathFactory, make_row: Callable[..., Any]) -> Path:
    """Three runs over 25 videos each, the first under another recipe. Only for reading."""
    folder = tmp_path_factory.mktemp("nights") / "index"
    nights = Nights(folder, make_row)
    nights.night(0, 25, OLD_RECIPE)
    nights.night(1, 25)
    nights.night(2, 25)
    return folder
