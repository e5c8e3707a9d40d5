"""The rows readers query. Parquet columns, DuckDB views and the column docs all derive from these.

Times are integer milliseconds from the video's first picture, half-open `[start_ms, end_ms)`, taken
from presentation timestamps. Columns are only ever added, and added ones are nullable.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.answers import CharacterText, HighlightText, SceneText
from schemas.failures import AttemptOutcome, FailureAction, FailureClass
from schemas.identity import VideoId
from schemas.measured import MEASURED_TABLES
from schemas.rows import Analysed, Lineage, Row

SCHEMA_VERSION = 1


class Video(Lineage):
    """One row per indexed video: what the file is and how it was sampled."""

    uri: str = Field(description="s3://bucket/key, or an absolute path")
    size_bytes: int = Field(description="Object size")
    etag: str | None = Field(description="S3's change signal; null on a disk")
    version_id: str | None = Field(description="S3 version, where the bucket is versioned and it is known")
    modified_at: datetime = Field(description="Modification time in the listing")
    recorded_at: datetime | None = Field(
        description="When it was recorded or created, as the file says; UTC, also where it names no zone"
    )
    title: str | None = Field(description="Title in the file's metadata")
    summary: str | None = Field(description="The model's summary of the whole video")
    duration_ms: int = Field(description="From the first picture to the end of the last one")
    container_start_ms: int = Field(description="First picture's time on the container's clock")
    player_start_ms: int | None = Field(
        description="First picture's time on the clock that players show, from 0; null in older rows"
    )
    width: int = Field(description="Picture width in pixels, before rotation")
    height: int = Field(description="Picture height in pixels, before rotation")
    rotation: int = Field(description="Degrees a player turns the picture by")
    fps_num: int = Field(description="Average frame rate, numerator")
    fps_den: int = Field(description="Average frame rate, denominator")
    is_vfr: bool = Field(description="Frame rate varies inside the video")
    start_timecode: str | None = Field(
        description="Timecode of the first picture, as the file has it; above 60 a second it counts pairs"
    )
    timecode_fps_num: int | None = Field(
        description="What the file's timecode track counts a second, numerator; null: it has none"
    )
    timecode_fps_den: int | None = Field(description="Denominator of that count")
    container: str = Field(description="Container format")
    video_codec: str = Field(description="Codec of the indexed video stream")
    audio_codecs: list[str] = Field(description="Codecs of the audio streams")
    video_language: str | None = Field(description="The indexed video stream's, as BCP 47 (en, pt-BR)")
    audio_languages: list[str | None] | None = Field(
        description="One for each of audio_codecs, as BCP 47; null: not said"
    )
    subtitle_languages: list[str | None] | None = Field(
        description="One for each subtitle stream, as BCP 47; null: not said"
    )
    location: str | None = Field(description="Where it was recorded, as the file says: ISO 6709, or a name")
    latitude: float | None = Field(description="Degrees north, where location gives them")
    longitude: float | None = Field(description="Degrees east, where location gives them")
    camera_make: str | None = Field(description="Who made the camera or phone")
    camera_model: str | None = Field(description="Which camera or phone it was")
    num_frames_sampled: int = Field(description="Pictures the model saw")
    effective_fps: float = Field(description="Sampled pictures per second; below the asked fps when capped")
    shown_width: int | None = Field(
        default=None,
        description="Width of the pictures that the model saw, in pixels; null: no model, or older rows",
    )
    shown_height: int | None = Field(default=None, description="Height of those pictures")
    kv: str | None = Field(
        default=None,
        description="What answers were decoded on: dense, or bilevel and how; null: no model, or older rows",
    )
    weight_bits: int | None = Field(
        default=None,
        description="Bits of the language model's weights; 16: not quantised; null: no model, or older rows",
    )
    is_partial: bool = Field(description="An answer is missing or had to be cut short; see failures")
    num_dropped: int = Field(
        description="Records left out as doubles: about the same time, in the same words"
    )
    is_degraded: bool = Field(description="Analysed a step down the memory ladder to fit; warnings say which")
    warnings: list[str] = Field(description="What was wrong with the file but survivable")


class Described(Lineage):
    """A row that the model wrote, and how far it can be relied on."""

    confidence: float = Field(
        description="Geometric mean of the model's own token probabilities; not calibrated"
    )
    video_gain: float = Field(
        description="How much likelier its tokens are for having seen the video: mean gain in nats"
    )
    is_truncated: bool = Field(description="A text was cut off: out of tokens or characters")
    is_repeated: bool = Field(description="A text went round in circles, or the record repeats one before it")
    is_overconfident: bool = Field(
        description="confidence is 0.9 or more, though the words are as probable without the video"
    )
    repairs: list[str] = Field(description="What was done to the model's answer; see docs/answers.md")


class Grounded(Lineage):
    """A stretch of the video that is spoken of, and what in it was seen."""

    start_ms: int = Field(description="First millisecond; a cut in the picture where one is near")
    end_ms: int = Field(description="First millisecond after; a cut in the picture where one is near")
    evidence_ms: list[int] = Field(description="Pictures the model saw of it, at most 16 spread evenly")
    is_grounded: bool = Field(description="The model saw a picture of it; other rows are in `…_all` only")


class Timed(Described, Grounded):
    """A row that the model wrote about a stretch of the video."""

    model_start_ms: int = Field(description="The start as the model said it")
    model_end_ms: int = Field(description="The end as the model said it")


class Scene(SceneText, Timed):
    """A story unit that the model describes; one or more shots."""

    scene_index: int = Field(description="Position in the video, from 0")
    character_ids: list[str] = Field(description="Characters in the scene; see characters")


class Character(CharacterText, Described):
    """A character who appears in the video."""

    character_id: str = Field(description="C1, C2, … inside the video")
    first_seen_ms: int | None = Field(description="Start of their first scene; null: in none")
    last_seen_ms: int | None = Field(description="End of their last scene; null: in none")


class Appearance(Grounded):
    """One character in one scene."""

    character_id: str = Field(description="See characters")
    scene_index: int = Field(description="See scenes")
    repairs: list[str] = Field(description="Repairs of its scene")


class Highlight(HighlightText, Timed):
    """A moment worth showing by itself."""

    rank: int = Field(description="1 is the best of the video")
    scene_index: int | None = Field(description="Scene holding its middle; null: no scenes")


class Keyframe(Lineage):
    """The still that represents a row of another table: a small picture in the video's aspect."""

    table_name: str = Field(description="scenes, highlights, shots or a table that a prompt pack brings")
    row_index: int = Field(description="That row's scene_index, rank, shot_index or record_index")
    at_ms: int = Field(description="When it is on screen, between the row's start_ms and end_ms")
    width: int = Field(description="Width of the picture in pixels")
    height: int = Field(description="Height of the picture in pixels")
    media_type: str = Field(description="image/jpeg")
    image: bytes = Field(description="The picture as a file of that type")


class Failure(Analysed):
    """The reason why a video, or one answer about it, is missing from the other tables."""

    run_id: str = Field(description="The run it happened in")
    created_at: datetime = Field(description="When it was made (UTC)")
    uri: str = Field(description="s3://bucket/key, or an absolute path")
    stage: str = Field(description="fetch, read, model, rows or commit")
    failure_class: FailureClass = Field(
        description="lost, transient, resource, answer, media, poison, domain or bug"
    )
    code: str = Field(description="Stable word for the reason, e.g. no_video")
    message: str = Field(description="What happened")
    hint: str = Field(description="What to do about it")
    action: FailureAction = Field(description="quarantined, kept_valid_part or next_run")
    attempts: int = Field(description="Tries made")
    prompt_id: str | None = Field(description="The prompt whose answer is invalid; null: it is not about one")
    signal_id: str | None = Field(
        default=None, description="The signal that failed; null: it is not about one"
    )
    answer_text: str | None = Field(description="The invalid answer as the model wrote it")
    traceback: str | None = Field(description="For bugs only")


class SignalSeconds(BaseModel):
    """The seconds that one signal of a video took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signal: str = Field(description="Its name, e.g. captions")
    seconds: float = Field(description="Reading it: seconds of a CPU core at work")


class Attempt(Row):
    """One try at one video, whatever came of it."""

    run_id: str = Field(description="The run that tried")
    video_id: VideoId = Field(description="Follows the object's URI")
    object_rev: str = Field(description="Revision of the bytes")
    recipe_id: str = Field(description="Recipe that was tried")
    analysis_key: str = Field(
        description="Hash of video_id, object_rev, recipe_id and texts beside the video"
    )
    uri: str = Field(description="s3://bucket/key, or an absolute path")
    plan_reason: str = Field(description="Why the plan had the video: new, changed, retry, stale_prompt, …")
    attempt: int = Field(description="1 for the run's first try at the video")
    started_at: datetime = Field(description="When an actor was given it (UTC)")
    seconds: float = Field(
        description="Seconds on the actor and in post-processing, without the wait between"
    )
    outcome: AttemptOutcome = Field(description="indexed, partial, quarantined, retried or next_run")
    stage: str | None = Field(description="Where it failed: fetch, read, model, rows or commit")
    failure_class: FailureClass | None = Field(description="Why it failed; null: it did not")
    code: str | None = Field(description="Stable word for the reason, e.g. no_video")
    fingerprint: str | None = Field(description="Equal for failures that are alike, whatever video they met")
    node: str | None = Field(description="Host name of the actor's machine")
    device: str | None = Field(
        description="cpu, or the GPU's name; of a model over several, such as 4 x NVIDIA H200"
    )
    wait_seconds: float | None = Field(description="Part of prefill_seconds: waiting for pictures")
    prefill_seconds: float | None = Field(description="Vision and prefill, waiting for pictures included")
    generate_seconds: float | None = Field(description="Answering the prompts")
    signal_seconds: float | None = Field(
        default=None, description="Reading signals: seconds of a CPU core at work"
    )
    signals: list[SignalSeconds] | None = Field(
        default=None, description="Parts of signal_seconds, signal by signal; null: none was read"
    )
    finish_seconds: float | None = Field(description="Cuts, keyframes and rows, on a CPU")
    peak_memory_bytes: int | None = Field(
        description="Peak of all GPUs of the model together, or of the actor's process without one"
    )
    video_ms: int | None = Field(description="Duration of the video")
    num_frames: int | None = Field(description="Pictures the model saw, or was asked to see")
    num_prompt_tokens: int | None = Field(description="Text tokens given to the model")
    num_output_tokens: int | None = Field(description="Tokens the model wrote")
    num_again_tokens: int | None = Field(
        description="Part of num_output_tokens: answers with faults, asked again"
    )


class Run(Row):
    """One execution of a plan."""

    run_id: str = Field(description="Sorts by start time")
    kind: str = Field(description="run or backfill")
    started_at: datetime = Field(description="Start (UTC)")
    ended_at: datetime = Field(description="End (UTC)")
    exit_code: int = Field(description="What the command returned")
    library: str = Field(description="The library's location")
    model_id: str | None = Field(description="Folder, hub id or S3 URL of the weights; null: signals only")
    model_revision: str | None = Field(
        description="Hub commit, or a hash of config and weight files; null: signals only"
    )
    recipe_id: str = Field(
        description="Hash of model revision, prompts, answer schemas, sampling and signals"
    )
    settings_json: str = Field(description="Resolved settings")
    num_listed: int = Field(description="Videos in the library that the filters let through")
    num_ignored: int = Field(description="Objects the filters left out")
    num_unchanged: int = Field(description="Videos committed before, nothing spent")
    num_copied: int | None = Field(
        description="Videos that got the rows of another name: moved ones and copies"
    )
    num_planned: int = Field(description="Videos to analyse")
    num_indexed: int = Field(description="Videos committed with every answer valid")
    num_partial: int = Field(description="Videos committed with an answer missing")
    num_quarantined: int = Field(description="Videos set aside for their present revision")
    num_unfinished: int = Field(description="Videos left to the next run")
    video_ms: int = Field(description="Duration of the videos committed")
    num_frames: int = Field(description="Pictures the model saw")
    num_prompt_tokens: int = Field(description="Text tokens given to the model")
    num_output_tokens: int = Field(description="Tokens the model wrote")
    prefill_seconds: float = Field(description="Vision and prefill, waiting for pictures included")
    generate_seconds: float = Field(description="Answering the prompts")


TABLES: dict[str, type[Row]] = {
    "videos": Video,
    "scenes": Scene,
    "characters": Character,
    "appearances": Appearance,
    "highlights": Highlight,
    "keyframes": Keyframe,
    **MEASURED_TABLES,
    "runs": Run,
    "failures": Failure,
    "attempts": Attempt,
}
