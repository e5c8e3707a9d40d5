"""A sidecar's bytes to a track of captions, by what they hold; the extension only where that does not say."""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice

from videoxl2.captions.records import Track
from videoxl2.captions.settling import MAX_CUES, Written, settle
from videoxl2.captions.sidecars.broadcast import broadcast_cues, is_broadcast
from videoxl2.captions.sidecars.counted import microdvd_cues, mpl2_cues
from videoxl2.captions.sidecars.encodings import decode
from videoxl2.captions.sidecars.names import read_name
from videoxl2.captions.sidecars.origins import origin_of
from videoxl2.captions.sidecars.scenarist import scenarist_cues
from videoxl2.captions.sidecars.script import script_cues
from videoxl2.captions.sidecars.streaming import has_stream_clock, sections_of, taken_off_ms
from videoxl2.captions.sidecars.timed import subrip_cues, subviewer_cues, webvtt_cues
from videoxl2.captions.ttml import read_ttml
from videoxl2.frames.probing.languages import language_tag
from videoxl2.frames.probing.media_info import MediaInfo

_LONGEST_TEXT = 1 << 16  # characters; nobody reads more at once
_HEAD_CHARACTERS = 1 << 14
_INDEX = b"# VobSub index"
_VOBSUB = (b"\0\0\1\xba", _INDEX)
_INDEX_LANGUAGE = re.compile(rb"^id:\s*([A-Za-z]{2,3})\b", re.MULTILINE)

# By what only files of that format have, at the start of a line; the first that is found counts.
_SIGNS = {
    "webvtt": r"\A\s*WEBVTT\b",
    "cea608": r"\A\s*Scenarist_SCC",
    "ttml": r"\A\s*<(?:.*?<)?(?:\w{1,20}:)?tt[\s>]",
    "sami": r"\A\s*<(?:.*?<)?SAMI\b",
    "ass": r"^[ \t]*(?:\[Script Info\]|\[V4\+? Styles\]|Dialogue:[^,\n]*,[ \t]*\d+:)",
    "microdvd": r"\A\s*\{\d+\}\{\d*\}",
    "mpl2": r"\A\s*\[\d+\]\[\d*\]",
    "subrip": r"^[ \t]*-?\d[\d:.,]*[ \t]*-->",
    "subviewer": r"^[ \t]*\d+:\d+:\d+[.,:]\d+[ \t]*,[ \t]*\d+:\d+:\d+[.,:]\d+[ \t]*$",
}
_FORMATS = {name: re.compile(sign, re.MULTILINE | re.DOTALL | re.IGNORECASE) for name, sign in _SIGNS.items()}
_BY_EXTENSION = {
    **dict.fromkeys(("ttml", "dfxp", "itt"), "ttml"),
    **dict.fromkeys(("ass", "ssa"), "ass"),
    "vtt": "webvtt",
    "srt": "subrip",
    "sbv": "subviewer",
    "sub": "microdvd",
    "mpl2": "mpl2",
    "scc": "cea608",
    "smi": "sami",
    "stl": "spruce_stl",
    "idx": "dvd_subtitle",
}
_FOR_THE_DEAF = "cea608"  # by nature
_NOT_READ = {"sami", "spruce_stl"}


@dataclass(frozen=True, slots=True)
class _Content:
    """Cues of one file, from the film's first picture, and what else it says."""

    cues: Iterable[Written]
    offset_ms: int = 0
    num_damaged: int = 0
    language_as_written: str | None = None
    warnings: tuple[str, ...] = ()


def read_sidecar(name: str, video_name: str, data: bytes, info: MediaInfo) -> Track:
    """Captions in the file `name` beside `video_name`, of which `info` is known.

    Never fails: what holds no captions is a track without text, whose warnings say why.
    """
    track = _track(name, video_name)
    if data.startswith(_VOBSUB):
        return _of_pictures(track, data)
    if is_broadcast(data):
        return _of_broadcast(track, data, info)
    text, encoding, is_guessed = decode(data, track.language)
    codec = _format_of(text) or _BY_EXTENSION.get(name.rpartition(".")[2].lower(), "unknown")
    track = replace(track, codec=codec, encoding=encoding, is_encoding_guessed=is_guessed)
    if codec == _FOR_THE_DEAF:
        track = replace(track, is_hearing_impaired=True)
    if codec in _NOT_READ or codec not in _READERS:
        return replace(track, warnings=("not_readable",))
    try:
        content = _READERS[codec](text, info)
    except ValueError:
        return replace(track, warnings=("not_readable",))
    return _settled(track, content, info)


def list_sidecar(name: str, video_name: str, why: str) -> Track:
    """Return what the name alone says of a sidecar that cannot be read; `why` is the warning."""
    extension = name.rpartition(".")[2].lower()
    track = _track(name, video_name)
    return replace(track, codec=_BY_EXTENSION.get(extension, "unknown"), warnings=(why,))


def _track(name: str, video_name: str) -> Track:
    return Track("sidecar", name, "unknown", **asdict(read_name(name, video_name)))


def _format_of(text: str) -> str | None:
    head = text[:_HEAD_CHARACTERS].removeprefix("\ufeff")
    return next((name for name, sign in _FORMATS.items() if sign.search(head)), None)


def _of_pictures(track: Track, data: bytes) -> Track:
    """VobSub. Its index has the languages; of several none is this file's."""
    is_index = data.startswith(_INDEX)
    languages = {code.decode() for code in _INDEX_LANGUAGE.findall(data)} if is_index else set()
    written = languages.pop() if len(languages) == 1 else None
    return replace(_in_language(track, written), codec="dvd_subtitle", warnings=("no_text",))


def _of_broadcast(track: Track, data: bytes, info: MediaInfo) -> Track:
    found = broadcast_cues(data, info)
    track = replace(track, codec="ebu_stl", encoding=found.encoding)
    return _settled(track, _Content(found.cues, found.offset_ms, found.num_damaged, found.language), info)


def _in_language(track: Track, written: str | None) -> Track:
    """What the name says goes before what the file does."""
    if track.language is not None or written is None:
        return track
    return replace(track, language=language_tag(written), language_as_written=written)


def _settled(track: Track, content: _Content, info: MediaInfo) -> Track:
    """The track with cues placed in the film. A few forced ones need not go with all of it."""
    written = [_bounded(cue) for cue in islice(content.cues, MAX_CUES + 1)]
    found = settle(written, info.duration_ms, not track.is_forced, MAX_CUES)
    has_text = any(cue.text for cue in written)
    is_damaged = content.num_damaged > 0 or any(cue is _TOO_LONG for cue in written)
    told = {"no_cues": not has_text, "damaged": is_damaged, "too_many_cues": len(written) > MAX_CUES}
    warnings = [*(word for word, is_so in told.items() if is_so), *content.warnings, *found.warnings]
    return replace(
        _in_language(track, content.language_as_written),
        has_text=has_text,
        cues=found.cues,
        num_dropped=found.num_dropped + content.num_damaged,
        offset_ms=content.offset_ms,
        warnings=tuple(dict.fromkeys(warnings)),
    )


_TOO_LONG = Written(0, None, "")


def _bounded(cue: Written) -> Written:
    return cue if len(cue.text) <= _LONGEST_TEXT else _TOO_LONG


def _as_played(cues: Iterable[Written], info: MediaInfo) -> _Content:
    """Times on a player's clock, which may begin before the first picture."""
    offset_ms = info.player_start_ms
    if not offset_ms:
        return _Content(cues)
    return _Content((_moved(cue, offset_ms) for cue in cues), offset_ms)


def _moved(cue: Written, offset_ms: int) -> Written:
    end_ms = None if cue.end_ms is None else cue.end_ms - offset_ms
    return replace(cue, start_ms=cue.start_ms - offset_ms, end_ms=end_ms)


def _of_webvtt(text: str, info: MediaInfo) -> _Content:
    sections = [(webvtt_cues(section), added_ms) for section, added_ms in sections_of(text)]
    if all(added_ms is None for _, added_ms in sections):
        return _as_played(webvtt_cues(text), info)
    if not has_stream_clock(info):
        return replace(_as_played(webvtt_cues(text), info), warnings=("clock_unknown",))
    offsets_ms = [
        info.player_start_ms if added_ms is None else taken_off_ms(added_ms, info) for _, added_ms in sections
    ]
    moved = (
        _moved(cue, offset_ms)
        for (cues, _), offset_ms in zip(sections, offsets_ms, strict=True)
        for cue in cues
    )
    return _Content(moved, offsets_ms[0])


def _of_scenarist(text: str, info: MediaInfo) -> _Content:
    cues, offset_ms, num_channels = scenarist_cues(text, info)
    return _Content(cues, offset_ms, warnings=("other_channels",) if num_channels > 1 else ())


def _of_ttml(text: str, info: MediaInfo) -> _Content:
    document = read_ttml(text.strip("\0\ufeff \t\r\n"))
    cues = [
        Written(round(cue.start_s * 1000), _ms(cue.end_s), cue.text, cue.speaker) for cue in document.cues
    ]
    content = _as_played(cues, info)
    if document.labels is not None and document.cues:
        numbers = (round(cue.start_s * document.labels.rate) for cue in document.cues)
        offset_ms = document.labels.ms(origin_of(numbers, document.labels, info))
        content = _Content([_moved(cue, offset_ms) for cue in cues], offset_ms)
    return replace(content, language_as_written=document.language, num_damaged=document.num_damaged)


def _ms(seconds: Fraction | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


_READERS: dict[str, Callable[[str, MediaInfo], _Content]] = {
    "subrip": lambda text, info: _as_played(subrip_cues(text), info),
    "webvtt": _of_webvtt,
    "subviewer": lambda text, info: _as_played(subviewer_cues(text), info),
    "ass": lambda text, info: _as_played(script_cues(text), info),
    "mpl2": lambda text, info: _as_played(mpl2_cues(text), info),
    "microdvd": lambda text, info: _as_played(microdvd_cues(text, info.fps), info),
    "cea608": _of_scenarist,
    "ttml": _of_ttml,
}
