"""schema.org JSON-LD: a VideoObject whose parts are Clips, for web pages and catalogs."""

import json
from collections.abc import Sequence
from typing import Any

from jobs.exports.moments import ExportedVideo, Moment, models_of
from jobs.ui.made_by import MadeBy
from jobs.ui.words import hms

# Still the same JSON, and safe inside <script type="application/ld+json">.
_SCRIPT_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def to_json_ld(source: ExportedVideo, moments: Sequence[Moment], said: Sequence[Moment] = ()) -> str:
    """Offsets are seconds on the player's clock, and so is the duration. `said` is the transcript.

    `dateCreated` is when it was recorded, as the file says, `uploadDate` when the object was last written,
    `sdDatePublished` when it was indexed.
    """
    video: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "identifier": source.video_id,
        "name": source.name,
        "description": source.summary or source.name,
        "contentUrl": source.url,
        **_recording(source),
        "uploadDate": source.modified_at.isoformat(),
        "duration": iso_duration(source.on_player(source.duration_ms)),
        "sdDatePublished": source.created_at.isoformat(),
        "sdPublisher": [_publisher(model) for model in models_of(source, moments)],
        **({"transcript": "\n".join(cue.name for cue in said)} if said else {}),
        "hasPart": [_clip(source, moment) for moment in moments],
    }
    text = json.dumps(video, ensure_ascii=False, indent=2)
    return text.translate(_SCRIPT_ESCAPES) + "\n"


def _recording(source: ExportedVideo) -> dict[str, Any]:
    """What the file says of it."""
    said: dict[str, Any] = {}
    if source.recorded_at is not None:
        said["dateCreated"] = source.recorded_at.isoformat()
    if source.location is not None:
        place: dict[str, Any] = {"@type": "Place", "name": source.location}
        if source.latitude is not None and source.longitude is not None:
            geo = {"latitude": source.latitude, "longitude": source.longitude}
            place["geo"] = {"@type": "GeoCoordinates", **geo}
        said["locationCreated"] = place
    if languages := list(dict.fromkeys(filter(None, source.audio_languages or ()))):
        said["inLanguage"] = languages
    return said


def _publisher(model: MadeBy) -> dict[str, Any]:
    """Who answers for names and descriptions: a model, and what it is."""
    said = {"description": model.note} if model.note else {}
    name = f"media-index with model {model.model_id}, revision {model.model_revision}"
    return {"@type": "Organization", "name": name, **said}


def _clip(source: ExportedVideo, moment: Moment) -> dict[str, Any]:
    start_s, end_s = (_seconds(source.on_player(ms)) for ms in (moment.start_ms, moment.end_ms))
    return {
        "@type": "Clip",
        "name": moment.name,
        "description": moment.text,
        "startOffset": start_s,
        "endOffset": end_s,
        "url": f"{source.url}#t={start_s},{end_s}",
    }


def iso_duration(ms: int) -> str:
    """ISO 8601, such as `PT1H2M3.5S`; zero parts are left out, but `PT0S` stays."""
    hours, minutes, seconds, rest = hms(ms)
    parts = [f"{hours}H"] * (hours > 0) + [f"{minutes}M"] * (minutes > 0)
    if seconds or rest or not parts:
        parts.append(f"{_seconds(1000 * seconds + rest)}S")
    return "PT" + "".join(parts)


def _seconds(ms: int) -> int | float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
