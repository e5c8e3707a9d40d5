"""Listen to one video: its sound in one pass, cut at silences, a piece at a time."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, groupby, islice
from pathlib import Path

import numpy as np

from videoxl2.captions.placing import FilmClock, Placing
from videoxl2.frames.clocks.clock import Clock
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.formats import boxes
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.speech.decoding.decoder import Decoder, load_decoder
from videoxl2.speech.decoding.hearing import hear_piece
from videoxl2.speech.decoding.languages import LanguageTeller
from videoxl2.speech.decoding.sentences import rows_of
from videoxl2.speech.decoding.words import placed_words
from videoxl2.speech.records import Dropped, Heard, HeardTrack, Said
from videoxl2.speech.runs.pieces import Piece, join_runs
from videoxl2.speech.runs.runs import Run, RunCutter
from videoxl2.speech.runs.voice import VoiceDetector
from videoxl2.speech.sound.clock import RESTART_S, SampleClock
from videoxl2.speech.sound.sound import RATE, Block, SoundReader
from videoxl2.speech.sound.tracks import SoundTrack, choose_track
from videoxl2.speech.weights import find_detector

_COUNTED_RESTART_S = Fraction(1)
_BLOCKS_AT_ONCE = 4  # shown to the detector: one by one takes a fifth more


def listen(
    path: str | os.PathLike[str],
    info: MediaInfo,
    weights: Path,
    languages: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Heard:
    """Return what is said in a video; `info` is what `probe` said of it, `weights` the folder of a decoder.

    Of several sound tracks one in `languages` (BCP 47) is heard before others.
    Raises `SpeechError` where nothing can be heard here, a `MediaError` subclass when the file cannot be
    opened, `OSError` when there is none.
    """
    with freed_at_once(), open_video(path, limits) as video:
        track = choose_track(video.container, languages)
        if track is None:
            return Heard(_not_heard(video))
        film = clock_of(path, video, info)
        sound = SoundReader(video, track.stream, sample_clock(info.clock, video.time_base))
        decoder = load_decoder(weights)
        ears = _Ears(decoder, LanguageTeller(decoder, track.language), film.of_track(track.stream.id))
        pieces = join_runs(find_runs(ears.counted(sound.blocks()), find_detector()))
        said = sorted((row for piece in pieces for row in ears.hear(piece)), key=lambda row: row.start_ms)
        warnings = _warnings(sound, film, ears.placing, said, info.duration_ms)
        return Heard(_heard_track(video, track, sound, ears, warnings), tuple(said), dict(ears.dropped))


def clock_of(path: str | os.PathLike[str], video: OpenVideo, info: MediaInfo) -> FilmClock:
    """The clock of an open film."""
    movie = boxes.read_movie(path) if video.demuxer.startswith("mov,") else None
    return FilmClock(info, movie, video.stream.id, video.time_base)


def find_runs(blocks: Iterable[Block], detector: Path) -> Iterator[Run]:
    """Runs of speech, in order."""
    for _, take in groupby(blocks, key=lambda block: block.take):
        yield from _runs_of_take(take, VoiceDetector(detector))


def _runs_of_take(blocks: Iterator[Block], voice: VoiceDetector) -> Iterator[Run]:
    first = next(blocks)
    cutter = RunCutter(first.take, first.start_s)
    following = chain((first,), blocks)
    while together := list(islice(following, _BLOCKS_AT_ONCE)):
        samples = np.concatenate([block.samples for block in together])
        yield from cutter.cut(samples, voice.judge(samples))
    yield from cutter.cut(first.samples[:0], voice.judge_rest())
    yield from cutter.rest()


@dataclass
class _Ears:
    """Hears pieces one after the other, and counts."""

    decoder: Decoder
    teller: LanguageTeller
    placing: Placing
    dropped: defaultdict[str, Dropped] = field(default_factory=lambda: defaultdict(Dropped))
    num_samples: int = 0
    speech_s: float = 0.0
    num_pieces: int = 0
    num_again: int = 0

    def counted(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The same, with their samples counted."""
        for block in blocks:
            self.num_samples += len(block.samples)
            yield block

    def hear(self, piece: Piece) -> Iterator[Said]:
        """The piece's rows."""
        language = self.teller.tell(piece)
        heard = hear_piece(self.decoder, piece, language.written_in)
        self.num_pieces += 1
        self.speech_s += piece.speech_s
        self.num_again += heard.num_again
        for reason, dropped in heard.dropped.items():
            self.dropped[reason] += dropped
        for run in heard.runs:
            words = placed_words(run, self.placing)
            yield from rows_of(run, words, language.tag, language.probability)


def sample_clock(clock: Clock, time_base: Fraction) -> SampleClock:
    """Return when sound of a film is heard. Counted pictures tell no joint: there a short step back is
    one."""
    restart_s = _COUNTED_RESTART_S if clock.counts_packets else RESTART_S
    start_s = clock.pieces[0].tick * time_base if clock.pieces else Fraction(0)
    return SampleClock(shifts_of(clock, time_base), restart_s, clock.wrap * time_base, start_s)


def shifts_of(clock: Clock, time_base: Fraction) -> list[Fraction]:
    """Seconds from stamps to the film's clock, one for each piece that it was joined from."""
    return list(dict.fromkeys((piece.tick - piece.stamp) * time_base for piece in clock.pieces)) or [
        Fraction(0)
    ]


def _not_heard(video: OpenVideo) -> HeardTrack:
    num_streams = len(video.container.streams.audio)
    return HeardTrack(num_streams=num_streams, warnings=("not_readable" if num_streams else "no_sound",))


def _heard_track(
    video: OpenVideo, track: SoundTrack, sound: SoundReader, ears: _Ears, warnings: tuple[str, ...]
) -> HeardTrack:
    return HeardTrack(
        track.stream.index,
        len(video.container.streams.audio),
        track.stream.codec_context.codec.canonical_name,
        track.language,
        track.chosen_by,
        round(ears.num_samples * 1000 / RATE),
        round(ears.speech_s * 1000),
        ears.num_pieces,
        ears.num_again,
        sound.clock.num_gaps,
        warnings,
    )


def _warnings(
    sound: SoundReader, film: FilmClock, placing: Placing, said: Sequence[Said], film_ms: int
) -> tuple[str, ...]:
    found = {
        "damaged": sound.damage.broken_packets + sound.damage.broken_reads > 0,
        "rate_wrong": sound.said_rate_is_wrong,
        "restless_clock": sound.clock.is_restless,
        "not_timed": not film.has_times,
        "edits_ignored": not placing.is_followed,
        "beyond_pictures": any(row.end_ms > film_ms for row in said),
    }
    return tuple(word for word, is_so in found.items() if is_so)
