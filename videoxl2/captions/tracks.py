"""Tracks of what was collected: cues at their times in the film, and what was odd about them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

from videoxl2.captions.carriers.collecting import CodeCollector, PictureCollector, TextCollector
from videoxl2.captions.carriers.streams import Carrier
from videoxl2.captions.cea608 import Channels
from videoxl2.captions.placing import Placing
from videoxl2.captions.records import Track
from videoxl2.captions.settling import Written, join_touching, settle

PICTURES = frozenset({"pgs", "dvb_subtitle", "dvd_subtitle", "xsub"})  # of text
_NAMES = {"wvtt": "webvtt", "text": "subrip"}  # one format, stored in other ways
_CODES = "cea608"
_NEVER = 1 << 62  # ticks; what is not erased stays till the end


@dataclass(frozen=True)
class InFilm:
    """The place of a track's times in the film, on a clock that may be none."""

    placing: Placing
    has_times: bool
    film_ms: int

    def cues(self, written: Iterable[Written], time_base: Fraction) -> list[Written]:
        """Cues whose times are ticks of a stream, in milliseconds of the film; none where it has no times."""
        return list(self.placing.written(written, time_base)) if self.has_times else []


def without_text(carrier: Carrier, *warnings: str) -> Track:
    """A track that is there and is not read here."""
    why = "no_text" if carrier.codec in PICTURES else "not_readable"
    return replace(_of_carrier(carrier), warnings=warnings or (why,))


def of_text(carrier: Carrier, collected: TextCollector, film: InFilm) -> Track:
    """A text track."""
    track = replace(_of_carrier(carrier), has_text=not collected.is_encrypted)
    if collected.is_encrypted:
        return replace(track, warnings=("encrypted",))
    cues = film.cues(_joined(collected), collected.time_base)
    return _settled(track, cues, film, collected.num_damaged, collected.is_full)


def of_codes(carrier: Carrier, collected: CodeCollector, film: InFilm) -> list[Track]:
    """The channels of a stream of caption codes."""
    track = replace(_of_carrier(carrier), codec=_CODES, has_text=True, is_hearing_impaired=True)
    channels = _of_channels(track, collected, film)
    named = [replace(one, origin=f"{carrier.index} {one.origin}") for one in channels]
    return [*named, *_of_services(collected.channels, named)]


def of_pictures(collected: PictureCollector, film: InFilm, taken: Sequence[Track]) -> list[Track]:
    """Channels inside the video stream, but for those that a stream of codes gives already."""
    track = Track("pictures", "", _CODES, has_text=True, is_hearing_impaired=True)
    names = {one.origin.rpartition(" ")[2] for one in taken if one.codec == _CODES}
    channels = _of_channels(track, collected, film)
    found = [one for one in channels if one.origin not in names]
    return [*found, *_of_services(collected.channels, taken)]


def _of_carrier(carrier: Carrier) -> Track:
    codec = _NAMES.get(carrier.codec, carrier.codec) or "unknown"
    return Track("stream", str(carrier.index), codec, **asdict(carrier.labels))


def _of_channels(track: Track, collected: CodeCollector | PictureCollector, film: InFilm) -> list[Track]:
    said = collected.channels.written(_NEVER)
    return [
        _settled(
            replace(track, origin=name), film.cues(cues, collected.time_base), film, collected.num_damaged
        )
        for name, cues in said.items()
    ]


def _of_services(channels: Channels, taken: Sequence[Track]) -> list[Track]:
    """CEA-708, which nothing here decodes."""
    names = {f"S{service or 1}" for service in channels.services} - {one.origin for one in taken}
    track = Track("pictures", "", "cea708", is_hearing_impaired=True)
    return [replace(track, origin=name, warnings=("not_readable",)) for name in sorted(names)]


def _joined(collected: TextCollector) -> list[Written]:
    """Cues of formats that say them again are joined."""
    cues = [(said.kind, Written(start, end, said.text, said.speaker)) for said, start, end in collected.said]
    return join_touching(cues) if any(kind is not None for kind, _ in cues) else [cue for _, cue in cues]


def _settled(
    track: Track, written: list[Written], film: InFilm, num_damaged: int, is_full: bool = False
) -> Track:
    settled = settle(written, film.film_ms)
    found = {
        "damaged": num_damaged > 0,
        "edits_ignored": not film.placing.is_followed,
        "not_timed": not film.has_times,
        "too_many_cues": is_full,
    }
    warnings = dict.fromkeys([*(word for word, is_so in found.items() if is_so), *settled.warnings])
    return replace(
        track, cues=settled.cues, num_dropped=settled.num_dropped + num_damaged, warnings=tuple(warnings)
    )
