"""What is said in a video, for the page: one caption track or what was heard, as much as a page bears."""

from dataclasses import dataclass

from jobs.web.videos import Record
from schemas.identity import VideoId
from storage.query.catalog import Catalog
from storage.query.tracks import BEST_FIRST

MAX_CUES = 5000  # on one page: some hours of talk; the address of all rows as JSON is beside them

HEARD = -1  # stands for a track: what was heard in the sound
_TRACKS = f"""
SELECT track, source, origin, language, title, is_forced, is_hearing_impaired, is_commentary, num_cues
FROM caption_tracks WHERE video_id = $video_id AND num_cues > 0
ORDER BY {BEST_FIRST}"""
_HEARD = f"""
SELECT {HEARD} AS track, 'speech' AS source, 'heard' AS origin, mode(language) AS language,
    NULL AS title, false AS is_forced, false AS is_hearing_impaired, false AS is_commentary,
    count(*) AS num_cues
FROM speech WHERE video_id = $video_id HAVING count(*) > 0"""
_CUES = f"""
FROM (
    SELECT cue, start_ms, end_ms, speaker, text FROM captions
    WHERE video_id = $video_id AND track = $track
    UNION ALL
    SELECT segment, start_ms, end_ms, NULL, text FROM speech
    WHERE video_id = $video_id AND $track = {HEARD}
)
ORDER BY start_ms, cue LIMIT $limit"""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The cues of the `chosen` one of a video's tracks."""

    tracks: list[Record]
    chosen: Record
    cues: list[Record]

    @property
    def table(self) -> str:
        """The table that has all of it."""
        return "speech" if self.chosen["track"] == HEARD else "captions"

    @property
    def num_left_out(self) -> int:
        """Cues of the track that are not among these."""
        return int(self.chosen["num_cues"]) - len(self.cues)


def read_transcript(catalog: Catalog, video_id: VideoId, wanted: int | None) -> Transcript | None:
    """The transcript of the track of that number, where it has cues, else of the best one; None: none."""
    asked_for = {"video_id": video_id}
    tracks = [*catalog.query(_TRACKS, asked_for).records, *catalog.query(_HEARD, asked_for).records]
    if not tracks:
        return None
    chosen = next((track for track in tracks if track["track"] == wanted), tracks[0])
    asked = {"video_id": video_id, "track": chosen["track"], "limit": MAX_CUES}
    return Transcript(tracks, chosen, catalog.query(_CUES, asked).records)


def track_name(track: Record) -> str:
    """Language, what it is, where it is: `en, with sounds and speakers, film.en.srt`."""
    kinds = {
        "is_forced": "forced",
        "is_hearing_impaired": "with sounds and speakers",
        "is_commentary": "commentary",
    }
    where = f"stream {track['origin']}" if track["source"] == "stream" else track["origin"]
    said = (track["language"], track["title"], *(word for flag, word in kinds.items() if track[flag]), where)
    return ", ".join(part for part in said if part)
