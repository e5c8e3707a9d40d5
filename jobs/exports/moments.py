"""What every format is made from: a video and its scenes or highlights, read from the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath
from urllib.parse import quote

from jobs.exports.formats import HOLD_MEASURED, SAID, MomentKind
from jobs.exports.one_line import one_line
from jobs.exports.timecode import Timecode, timecode_of
from jobs.ui.made_by import MadeBy
from jobs.ui.player_clock import player_start
from schemas.identity import VideoId
from schemas.tables import Video
from storage.query.catalog import Catalog
from storage.query.tracks import BEST_FIRST

VIDEOS_A_QUERY = 5000  # of a million videos so many are held; a page costs one pass over the tables

_VIDEOS = """
FROM videos WHERE video_id > $after AND ($only IS NULL OR video_id = $only)
ORDER BY video_id LIMIT $limit"""

_MOMENTS = {
    "captions": f"""
WITH best AS (
    SELECT analysis_key, track FROM caption_tracks
    WHERE video_id BETWEEN $first AND $last AND num_cues > 0
        AND ($language IS NULL OR language = $language OR starts_with(language, $language || '-'))
    QUALIFY row_number() OVER (PARTITION BY video_id ORDER BY {BEST_FIRST}) = 1
)
SELECT video_id, 'captions', cue + 1, start_ms, end_ms, '', text, speaker, NULL, NULL, NULL, NULL, NULL
FROM captions SEMI JOIN best USING (analysis_key, track) ORDER BY video_id, start_ms, cue""",
    "speech": """
SELECT video_id, 'speech', segment + 1, start_ms, end_ms, '', text, NULL, NULL,
       NULL, NULL, model_id, model_revision
FROM speech
WHERE video_id BETWEEN $first AND $last
    AND ($language IS NULL OR language = $language OR starts_with(language, $language || '-'))
ORDER BY video_id, start_ms, segment""",
    "shots": """
SELECT video_id, 'shots', shot_index + 1, start_ms, end_ms, '', '', kind, NULL, NULL, NULL, NULL, NULL
FROM shots WHERE video_id BETWEEN $first AND $last ORDER BY video_id, shot_index""",
    "scenes": """
SELECT video_id, 'scenes', scene_index + 1, start_ms, end_ms, title, summary, NULL, NULL,
       confidence, prompt_id, model_id, model_revision
FROM scenes WHERE video_id BETWEEN $first AND $last ORDER BY video_id, start_ms, scene_index""",
    "highlights": """
SELECT video_id, 'highlights', rank, start_ms, end_ms, title, reason, kind, score,
       confidence, prompt_id, model_id, model_revision
FROM highlights WHERE video_id BETWEEN $first AND $last ORDER BY video_id, start_ms, rank""",
}


class ExportedVideo(Video):
    """The video that moments are of: its row, and what formats make of it."""

    @property
    def file_name(self) -> str:
        """The last part of the video's URI."""
        return PurePosixPath(self.uri).name

    @property
    def name(self) -> str:
        """The title, else the file's name."""
        return one_line(self.title or "") or one_line(self.file_name)

    @property
    def url(self) -> str:
        """The URI with everything escaped that a URL needs escaped."""
        if self.uri.startswith("/"):
            return f"file://{quote(self.uri)}"
        scheme, mark, path = self.uri.partition("://")
        return f"{scheme}{mark}{quote(path)}"

    @property
    def timecode(self) -> Timecode:
        """The labels of the video's frames, by its frame rate and start timecode."""
        track_rate = None
        if self.timecode_fps_num and self.timecode_fps_den:
            track_rate = Fraction(self.timecode_fps_num, self.timecode_fps_den)
        fps = Fraction(self.fps_num, self.fps_den)
        return timecode_of(fps, self.is_vfr, self.start_timecode, track_rate)

    @property
    def models(self) -> list[MadeBy]:
        """The one that wrote the summary; none where no model has seen the video."""
        return [MadeBy(self.model_id, self.model_revision or "")] if self.model_id else []

    def on_player(self, ms: int) -> int:
        """A row's time on the clock that players show."""
        return ms + player_start(self.player_start_ms, self.container, self.container_start_ms)


@dataclass(frozen=True, slots=True)
class Moment:
    """One scene, highlight, shot, cue or sentence heard. Times are ms from the first picture, half-open."""

    kind: MomentKind
    number: int  # scenes, shots and cues from 1 in order, highlights by rank
    start_ms: int
    end_ms: int
    title: str
    text: str  # a scene's summary, a highlight's reason, what is said
    category: str | None  # a highlight's kind, how a shot begins, who speaks
    score: int | None  # a highlight's
    confidence: float | None  # the last four are a model's
    prompt_id: str | None
    model_id: str | None
    model_revision: str | None

    @property
    def name(self) -> str:
        """The title on one line, or what is said; `Scene 3` where there is none."""
        if self.kind in SAID:
            return ": ".join(filter(None, (one_line(self.category or ""), one_line(self.text))))
        return one_line(self.title) or f"{self.kind[:-1].capitalize()} {self.number}"


def models_of(source: ExportedVideo, moments: Sequence[Moment]) -> list[MadeBy]:
    """Return the models that wrote what is shown, or heard it: more than one where some answers were asked
    again, none of captions and shots."""
    found = (MadeBy(one.model_id, one.model_revision) for one in moments if one.model_id)
    is_measured = any(moment.kind in HOLD_MEASURED for moment in moments)
    return list(dict.fromkeys(found)) or ([] if is_measured else source.models)


def read_moments(
    catalog: Catalog, kind: MomentKind, video_id: VideoId | None = None, language: str | None = None
) -> Iterator[tuple[ExportedVideo, list[Moment]]]:
    """All videos of the index, or one, each with its moments by start time.

    Of captions one track: the best of those in that language, where one is named.
    """
    for sources in _pages(catalog, video_id):
        found: dict[str, list[Moment]] = {source.video_id: [] for source in sources}
        asked: dict[str, str | None] = {"first": sources[0].video_id, "last": sources[-1].video_id}
        asked |= {"language": language} if kind in SAID else {}
        for of, *values in catalog.query(_MOMENTS[kind], asked).rows:
            found[of].append(Moment(*values))
        yield from ((source, found[source.video_id]) for source in sources)


def read_videos(catalog: Catalog, video_id: VideoId | None = None) -> Iterator[ExportedVideo]:
    """All videos of the index by id, or one."""
    for sources in _pages(catalog, video_id):
        yield from sources


def _pages(catalog: Catalog, video_id: VideoId | None) -> Iterator[Sequence[ExportedVideo]]:
    after = ""
    while sources := catalog.read(
        ExportedVideo, _VIDEOS, {"after": after, "only": video_id, "limit": VIDEOS_A_QUERY}
    ):
        yield sources
        after = sources[-1].video_id
