"""schema.org JSON-LD: a VideoObject whose parts are Clips, for web pages and catalogs."""

import json
from collections.abc import Sequence
from typing import Any

from jobs.exports.moments import Moment, Source

# Still the same JSON, and safe inside <script type="application/ld+json">.
_SCRIPT_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def to_json_ld(source: Source, moments: Sequence[Moment]) -> str:
    """Offsets are seconds from the first picture; `uploadDate` is when the object was last written."""
    video: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "identifier": source.video_id,
        "name": source.name,
        "description": source.summary or source.name,
        "contentUrl": source.url,
        "uploadDate": source.modified_at.isoformat(),
        "duration": iso_duration(source.duration_ms),
        "hasPart": [_clip(source, moment) for moment in moments],
    }
    text = json.dumps(video, ensure_ascii=False, indent=2)
    return text.translate(_SCRIPT_ESCAPES) + "\n"


def _clip(source: Source, moment: Moment) -> dict[str, Any]:
    start_s, end_s = _seconds(moment.start_ms), _seconds(moment.end_ms)
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
    minutes, second_ms = divmod(ms, 60_000)
    hours, minute = divmod(minutes, 60)
    parts = [f"{hours}H"] * (hours > 0) + [f"{minute}M"] * (minute > 0)
    if second_ms or not parts:
        parts.append(f"{_seconds(second_ms)}S")
    return "PT" + "".join(parts)


def _seconds(ms: int) -> int | float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
