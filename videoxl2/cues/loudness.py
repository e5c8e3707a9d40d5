"""Loudness by EBU R128, as libavfilter's ebur128 measures it."""

from collections import deque
from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingLeft
from av.error import FFmpegError
from av.filter.context import FilterContext
from av.filter.graph import Graph
from av.frame import Frame

from videoxl2.cues.records import Cue
from videoxl2.cues.spans import Span
from videoxl2.watching import SoundBlock

_SILENT = -69.9  # LUFS; the filter says -70 where everything is below its gate


class Loudness:
    """Takes sound as it comes. After a change of rate or layout it is converted to what it was before."""

    def __init__(self) -> None:
        self._kind: tuple[int, str] | None = None
        self._graph: Graph | None = None  # its contexts do not keep it alive
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None
        self._measured: deque[Frame] = deque(maxlen=2)  # the last one of all may say nothing
        self.error: Exception | None = None  # why it could not go on

    def sound(self, block: SoundBlock) -> None:
        """The next second; nothing more once the filter could not take one."""
        if self.error is None:
            try:
                self._push(block)
            except (FFmpegError, ValueError) as error:  # a layout without weights
                self.error = error

    def _push(self, block: SoundBlock) -> None:
        kind = block.rate, block.frame.layout.name
        if self._source is None:
            self._kind = kind
            self._graph, self._source, self._sink = _filter(block)
        block.frame.pts = None
        for frame in [block.frame] if kind == self._kind else self._converted(block):
            self._source.push(frame)
        self._pull()

    def _converted(self, block: SoundBlock) -> list[AudioFrame]:
        assert self._kind is not None
        rate, layout = self._kind
        return AudioResampler("fltp", layout, rate).resample(block.frame)

    def finish(self, reach: list[Span]) -> Iterator[Cue]:
        """Loudness and its range, of all sound; nothing where it is silent."""
        if self.error is not None:
            return
        if self._source is not None:
            self._source.push(None)
            self._pull()
        said = self._said()
        loudness = float(said.get("lavfi.r128.I", "-inf"))
        if loudness > _SILENT:
            for span in reach:
                yield Cue("loudness", *span, round(loudness, 1))
                yield Cue("loudness_range", *span, round(float(said["lavfi.r128.LRA"]), 1))

    def _said(self) -> dict[str, str]:
        """What the filter says of all that it was given."""
        told = (dict(frame.metadata) for frame in reversed(self._measured))
        return next(filter(None, told), {})

    def _pull(self) -> None:
        while self._sink is not None:
            try:
                self._measured.append(self._sink.pull())
            except (NothingYet, NothingLeft):
                return


def _filter(block: SoundBlock) -> tuple[Graph, FilterContext, FilterContext]:
    graph = Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=block.rate, format="fltp", layout=block.frame.layout.name)
    meter = graph.add("ebur128", "metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    return graph, source, sink
