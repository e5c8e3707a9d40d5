"""The signals that there are, by the names that people choose them by.

Speech and text are none of them: they are read where they are asked for, as they take much longer.
"""

from collections.abc import Sequence
from dataclasses import replace

from jobs.settings.signal_names import NO_SIGNALS
from jobs.signals.captions import Captions
from jobs.signals.cues import Cues
from jobs.signals.screen_text import NAME as TEXT
from jobs.signals.shots import Shots
from jobs.signals.signal import Signal
from jobs.signals.speech import NAME as SPEECH
from jobs.signals.speech_weights import WEIGHTS
from jobs.signals.strip import Strips
from schemas.failures import UsageError

_KNOWN: dict[str, Signal] = {signal.name: signal for signal in (Captions(), Shots(), Cues(), Strips())}


def signals_named(names: Sequence[str], is_draft: bool = False) -> tuple[Signal, ...]:
    """Return the signals of these names, in the order in which they are read; `none` alone means none. With
    `is_draft` those that look at every picture take a draft of the film.

    UsageError: there is no such signal.
    """
    if tuple(names) == (NO_SIGNALS,):
        return ()
    for name in names:
        if name == SPEECH:
            raise UsageError(f"the signal {SPEECH} needs weights", f"Name them with --{SPEECH}: {WEIGHTS}.")
        if name == TEXT:
            raise UsageError(f"the signal {TEXT} is not chosen by --signal", f"Ask for it with --{TEXT}.")
        if name not in _KNOWN:
            raise UsageError(f"there is no signal {name}", f"Name {', '.join(_KNOWN)}, or {NO_SIGNALS}.")
    chosen = (signal for name, signal in _KNOWN.items() if name in names)
    return tuple(_drafted(signal) if is_draft else signal for signal in chosen)


def _drafted(signal: Signal) -> Signal:
    return replace(signal, is_draft=True) if isinstance(signal, Shots | Cues) else signal
