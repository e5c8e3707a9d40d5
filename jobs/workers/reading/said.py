"""What is said in a video, as prompts tell it: found before the model is asked."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from jobs.answers.carried import earlier_bundle, signals_of
from jobs.attempts.work import Work
from jobs.prompts.said import SaidLine
from jobs.signals.captions import best_cues
from jobs.signals.signal import Beforehand, Signal, VideoFile
from jobs.signals.speech import SpeechSignal
from jobs.workers.deadlines import killed_when_hanging, longest_s
from schemas.measured import Speech
from storage.index.commits.bundles import rows_of
from storage.objects.store import ObjectStore

_log = logging.getLogger(__name__)
Said = tuple[SaidLine, ...]


def speech_of(signals: Sequence[Signal], work: Work) -> SpeechSignal | None:
    """The signal that hears this video; None: it is not heard, or has been."""
    return next((one for one in signals_of(signals, work) if isinstance(one, SpeechSignal)), None)


def read_said(file: VideoFile) -> Said:
    """The best track's cues. Where they cannot be read none are told; the signal says why."""
    try:
        return tuple(SaidLine(cue.start_ms, cue.end_ms, cue.text) for cue in best_cues(file))
    except Exception as error:
        _warn("captions", file, error)
        return ()


def hear_said(file: VideoFile, speech: SpeechSignal) -> tuple[Said, Beforehand]:
    """Return what speech says, and the same for the signal, which need not hear it again.

    Where it cannot be heard nothing is told; the signal says why.
    """
    begun = time.process_time()
    try:
        with killed_when_hanging(longest_s((speech,), file.info.duration_ms / 3_600_000)):
            heard = speech.hear(file)
    except Exception as error:
        _warn("speech", file, error)
        return (), file.before
    told = tuple(SaidLine(one.start_ms, one.end_ms, one.text, is_heard=True) for one in heard.said)
    return told, replace(file.before, heard=heard, seconds={speech.name: time.process_time() - begun})


def heard_before(store: ObjectStore | None, work: Work) -> Said:
    """Read what speech said when the video was heard last. Raises `storage.errors` and `PreflightError`."""
    bundle = earlier_bundle(store, work)
    rows = rows_of(bundle, "speech", Speech) if bundle is not None else []
    return tuple(SaidLine(row.start_ms, row.end_ms, row.text, is_heard=True) for row in rows)


def _warn(what: str, file: VideoFile, error: Exception) -> None:
    fields = {"uri": file.video.uri, "why": str(error)}
    _log.warning("no %s for prompts: %s", what, error, extra={"event": "unsaid", "fields": fields})
