"""What is seen of cuts and mixes becomes transitions, once nothing that comes later can change them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from videoxl2.shots.cuts import EMPTY, Cut
from videoxl2.shots.gradual import Gradual, graduals_of
from videoxl2.shots.mixes import Mix
from videoxl2.shots.reel import Reel
from videoxl2.shots.transitions import Kind, Transition

_HOLD = 256  # pictures; a transition waits that long for one that belongs to it
_LONGEST_CHAIN = 512  # pictures; mixes that follow each other longer than that are judged in parts
_ONE_CUT_MS = 120  # cuts closer than that are one
_GAP_MS = 500  # an empty stretch up to that long between two cuts is no shot
_EMPTY_FADE_MS = 2000  # a fade-out and a fade-in so far apart are one
_FLAT = 10.0  # levels of deviation that pictures between these two may have


@dataclass
class Unsettled:
    """Cuts, mixes and graduals of which something later may decide. Indices count within the reel."""

    cuts: list[Cut] = field(default_factory=list)
    mixes: list[Mix] = field(default_factory=list)
    graduals: list[Gradual] = field(default_factory=list)
    is_begun: bool = False  # the film's first picture is no longer in the reel

    def settle(self, reel: Reel, stop: int, is_end: bool) -> list[Transition]:
        """Take out the transitions that are certain when pictures up to `stop` have been looked at."""
        open_from = self._judge(reel, stop, is_end)
        self.graduals = _fades_joined(reel, self.graduals)
        self.cuts = _cuts_joined(reel, self._cuts_alone())
        self.cuts = [cut for cut in self.cuts if not self._is_at_empty_edge(reel, cut.at, is_end)]
        limit = len(reel) if is_end else min(stop, open_from) - _HOLD
        cuts = [cut for cut in self.cuts if cut.at < limit]
        graduals = [gradual for gradual in self.graduals if gradual.last < limit]
        self.cuts = self.cuts[len(cuts) :]
        self.graduals = self.graduals[len(graduals) :]
        found = [_of_cut(reel, cut) for cut in cuts]
        found += [self._of_gradual(reel, gradual, is_end) for gradual in graduals]
        return sorted(found, key=lambda transition: transition.start_ms)

    def move(self, by: int) -> None:
        """Count from another picture."""
        self.cuts = [replace(cut, at=cut.at + by) for cut in self.cuts]
        self.mixes = [replace(m, first=m.first + by, last=m.last + by) for m in self.mixes]
        self.graduals = [replace(g, first=g.first + by, last=g.last + by) for g in self.graduals]
        self.is_begun |= by < 0

    def _judge(self, reel: Reel, stop: int, is_end: bool) -> int:
        """Turn chains of mixes that are over into graduals; where the first that goes on begins."""
        goes_on: list[Mix] = []
        sharp = [cut.at for cut in self.cuts if cut.is_sharp]
        unbroken = [m for m in self.mixes if not any(m.first <= at <= m.last + 1 for at in sharp)]
        for chain in _chains(unbroken):
            first, last = min(m.first for m in chain), max(m.last for m in chain)
            if is_end or last < stop or stop - first > _LONGEST_CHAIN:
                self.graduals += graduals_of(reel, chain)
            else:
                goes_on += chain
        self.mixes = goes_on
        return min((mix.first for mix in goes_on), default=stop)

    def _cuts_alone(self) -> list[Cut]:
        """Those that no gradual takes in; a sharp one just before it is another transition."""
        spans = [(g.first, g.last + 1) for g in self.graduals]
        return [cut for cut in self.cuts if not any(a - (not cut.is_sharp) <= cut.at <= b for a, b in spans)]

    def _is_at_empty_edge(self, reel: Reel, at: int, is_end: bool) -> bool:
        """Whether there is briefly nothing to see before, as the film begins, or after, as it ends."""
        is_begin = not self.is_begun and _is_gap(reel, 0, at)
        return is_begin or (is_end and _is_gap(reel, at, len(reel)))

    def _of_gradual(self, reel: Reel, gradual: Gradual, is_end: bool) -> Transition:
        first, last = gradual.first, gradual.last
        start_ms = int(reel.start_ms[first])
        end_ms = _end_ms(reel, last)
        at_ms = int(reel.start_ms[(first + last + 1) // 2])
        if gradual.is_fade and not self.is_begun and _is_empty(reel, 0, first) and start_ms <= _EMPTY_FADE_MS:
            at_ms = int(reel.start_ms[0])
        if gradual.is_fade and is_end and _is_empty(reel, last + 1, len(reel)):
            at_ms = end_ms
        kind: Kind = "fade" if gradual.is_fade else "dissolve"
        return Transition(kind, start_ms, end_ms, at_ms, min(1.0, gradual.change))


def _of_cut(reel: Reel, cut: Cut) -> Transition:
    at_ms = int(reel.start_ms[cut.at])
    score = min(1.0, max(cut.change, cut.levels / 60))
    return Transition("slide" if cut.is_slide else "cut", at_ms, at_ms, at_ms, score)


def _end_ms(reel: Reel, last: int) -> int:
    if last + 1 < len(reel):
        return int(reel.start_ms[last + 1])
    return int(reel.start_ms[last]) + round(reel.step_ms(last - 8, last))


def _chains(mixes: list[Mix]) -> list[list[Mix]]:
    """Mixes that overlap or touch, together."""
    chains: list[list[Mix]] = []
    end = -1
    for mix in sorted(mixes, key=lambda mix: mix.first):
        if not chains or mix.first > end + 1:
            chains.append([])
        chains[-1].append(mix)
        end = max(end, mix.last) if len(chains[-1]) > 1 else mix.last
    return chains


def _fades_joined(reel: Reel, graduals: list[Gradual]) -> list[Gradual]:
    """A fade-out and the fade-in after it become one."""
    joined: list[Gradual] = []
    for gradual in sorted(graduals, key=lambda gradual: gradual.first):
        before = joined[-1] if joined else None
        if before and before.is_fade and gradual.is_fade and _is_one_fade(reel, before, gradual):
            joined[-1] = replace(before, last=gradual.last, change=max(before.change, gradual.change))
        else:
            joined.append(gradual)
    return joined


def _is_one_fade(reel: Reel, before: Gradual, after: Gradual) -> bool:
    between_ms = reel.start_ms[after.first] - reel.start_ms[before.last]
    return bool(between_ms <= _EMPTY_FADE_MS) and _is_empty(reel, before.last, after.first + 1)


def _is_empty(reel: Reel, first: int, stop: int) -> bool:
    return bool((reel.spread[first:stop] < _FLAT).all())


def _cuts_joined(reel: Reel, cuts: list[Cut]) -> list[Cut]:
    """Of cuts that are one the clearest; of cuts around a short empty stretch the later."""
    joined: list[Cut] = []
    for cut in sorted(cuts, key=lambda cut: cut.at):
        if joined and _is_gap(reel, joined[-1].at, cut.at):
            joined[-1] = cut
        elif joined and reel.start_ms[cut.at] - reel.start_ms[joined[-1].at] < _ONE_CUT_MS:
            joined[-1] = max(joined[-1], cut, key=lambda cut: cut.levels)
        else:
            joined.append(cut)
    return joined


def _is_gap(reel: Reel, first: int, stop: int) -> bool:
    """Whether there is nothing to see in between, and that not for long."""
    is_short = reel.start_ms[stop - 1] - reel.start_ms[first] < _GAP_MS
    return bool(is_short and (reel.spread[first:stop] < EMPTY).all())
