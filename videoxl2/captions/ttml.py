"""TTML and IMSC documents, in MP4 and as sidecars: cues with the times and speakers that they nest."""

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple
from xml.parsers import expat

from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.times import Counting

_TT = "{http://www.w3.org/ns/ttml}"
_METADATA = "{http://www.w3.org/ns/ttml#metadata}"
_PARAMETER = "{http://www.w3.org/ns/ttml#parameter}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_OLD = re.compile(r"\{http://www\.w3\.org/20\d\d/\d\d/ttaf1(#\w+)?\}")  # of drafts, in use as DFXP
_MAX_DEPTH = 100
_MAX_ELEMENTS = 400_000  # read at 0.1 ms each
_OPEN_END = "9999h"
_FOREVER_S = 9000 * 3600
_AGENT = "agent:"
_TIMES = ("begin", "end", "dur")
_TIME = re.compile(r"\d{2,}:[0-5]\d:[0-6]\d(\.\d+|:\d{2,}(\.\d+)?)?|\d+(\.\d+)?(h|m|s|ms|f|t)", re.ASCII)


class TimedText(NamedTuple):
    """One cue, in seconds of the document; None: no end is said."""

    start_s: Fraction
    end_s: Fraction | None
    speaker: str | None
    text: str


class Document(NamedTuple):
    """The captions of a TTML document; `labels`: how times count that are labels of a time code, not
    distances from the start."""

    language: str | None
    labels: Counting | None
    num_damaged: int  # elements with times that are none; they are left out
    cues: list[TimedText]


def read_ttml(data: bytes | str) -> Document:
    """The cues of a document in its order. ValueError: it is none, is damaged, or defines entities."""
    root = _parsed(data)
    names = _agents(root)
    damaged = [element for element in root.iter() if not _has_times(element)]
    for element in damaged:
        _empty(element)
    for element in root.iter():
        _prepare(element)
    language = root.get(f"{_XML}lang") or None
    labels = _counting(root) if root.get(f"{_PARAMETER}timeBase") == "smpte" else None
    body = _model(root).get_body()
    cues = list(_cues(body, Fraction(0), None, names)) if body is not None else []
    return Document(language, labels, len(damaged), cues)


def _counting(root: ET.Element) -> Counting:
    per_second = _number(root.get(f"{_PARAMETER}frameRate", "")) or 30
    factors = [
        _number(part) for part in re.split(r"[\s:]+", root.get(f"{_PARAMETER}frameRateMultiplier", ""))
    ]
    factor = Fraction(factors[0], factors[1]) if len(factors) == 2 and all(factors) else Fraction(1)
    is_drop_frame = root.get(f"{_PARAMETER}dropMode", "nonDrop") != "nonDrop"
    return Counting(per_second, per_second * factor, is_drop_frame)


def _number(digits: str) -> int:
    return int(digits) if re.fullmatch("[0-9]{1,6}", digits) else 0


def _parsed(data: bytes | str) -> ET.Element:
    _check(data)
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, LookupError) as error:
        raise ValueError(f"this is no XML: {error}") from error
    for element in root.iter():
        element.tag = _named_anew(element.tag)
        element.attrib = {_named_anew(name): value for name, value in element.attrib.items()}
    if root.tag != f"{_TT}tt":
        raise ValueError("this is XML, but not TTML")
    return root


def _check(data: bytes | str) -> None:
    """Refuse what would grow while it is read: entities, depth, and more than any film says."""
    parser, depth, num_elements = expat.ParserCreate(), 0, 0

    def refuse(*_: object) -> None:
        raise ValueError("a document type is not accepted")

    def go_in(*_: object) -> None:
        nonlocal depth, num_elements
        depth, num_elements = depth + 1, num_elements + 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"elements are nested more than {_MAX_DEPTH} deep")
        if num_elements > _MAX_ELEMENTS:
            raise ValueError(f"there are more than {_MAX_ELEMENTS} elements")

    def go_out(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = go_in, go_out
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"this is no XML: {error}") from error


def _named_anew(name: str) -> str:
    return _OLD.sub(lambda old: f"{{http://www.w3.org/ns/ttml{old[1] or ''}}}", name)


def _agents(root: ET.Element) -> dict[str, str]:
    """Names of speakers by their ids."""
    found = {}
    for agent in root.iter(f"{_METADATA}agent"):
        name = next((tidy("".join(name.itertext())) for name in agent.iter(f"{_METADATA}name")), "")
        if name:
            found[_AGENT + agent.get(f"{_XML}id", "")] = name
    return found


def _has_times(element: ET.Element) -> bool:
    """Whether those that it says are times; ttconv would show it from the start on."""
    for name in _TIMES:
        text = element.get(name)
        if text is not None:
            element.set(name, text.strip().replace(";", ":"))  # as drop-frame labels are written elsewhere
            if not _TIME.fullmatch(element.get(name, "")):
                return False
    return True


def _empty(element: ET.Element) -> None:
    tail = element.tail
    element.clear()
    element.tail = tail


def _prepare(element: ET.Element) -> None:
    """Help ttconv, which loses timed containers without an end, and knows no agents but keeps languages."""
    is_container = element.tag in (f"{_TT}body", f"{_TT}div")
    if is_container and "begin" in element.attrib and not {"end", "dur"} & element.attrib.keys():
        element.set("end", _OPEN_END)
    if element.tag == f"{_TT}tt":
        return
    agent = element.get(f"{_METADATA}agent")
    element.attrib.pop(f"{_XML}lang", None)
    if agent:
        element.set(f"{_XML}lang", _AGENT + agent.split()[0] if agent.split() else "")


def _model(root: ET.Element) -> Any:
    import ttconv.imsc.reader  # takes 45 ms, which most runs need not spend

    logging.getLogger("ttconv").setLevel(logging.CRITICAL + 1)  # it tells of looks, which nobody here needs
    try:
        model = ttconv.imsc.reader.to_model(ET.ElementTree(root))
    except Exception as error:  # it raises whatever its parts do
        raise ValueError(f"the document cannot be read: {error}") from error
    if model is None:
        raise ValueError("the document cannot be read")
    return model


def _cues(
    element: Any, base_s: Fraction, until_s: Fraction | None, names: dict[str, str]
) -> Iterator[TimedText]:
    """What an element and those in it say; their times count from their parents'."""
    start_s = base_s + (element.get_begin() or 0)
    end_s = _earlier(None if element.get_end() is None else base_s + element.get_end(), until_s)
    kind = type(element).__name__
    if kind not in ("P", "Span"):
        for child in element:
            if kind in ("Body", "Div"):
                yield from _cues(child, start_s, end_s, names)
        return
    text = tidy(_text(element))
    if text:
        is_open = end_s is None or end_s >= _FOREVER_S
        yield TimedText(start_s, None if is_open else end_s, names.get(element.get_lang()), text)
    for span in _timed_spans(element):
        yield from _cues(span, start_s, end_s, names)


def _earlier(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return min((end for end in (one, other) if end is not None), default=None)


def _text(element: Any) -> str:
    """Text without ruby, and without what is said at another time."""
    parts = []
    for child in element:
        kind = type(child).__name__
        if kind == "Text":
            parts.append(re.sub(r"\s+", " ", child.get_text()))
        elif kind == "Br":
            parts.append("\n")
        elif kind not in ("Rt", "Rp", "Rtc") and not _is_timed(child):
            parts.append(_text(child))
    return "".join(parts)


def _timed_spans(element: Any) -> Iterator[Any]:
    """The nearest ones inside."""
    for child in element:
        if _is_timed(child):
            yield child
        elif type(child).__name__ not in ("Text", "Br"):
            yield from _timed_spans(child)


def _is_timed(element: Any) -> bool:
    if type(element).__name__ != "Span":
        return False
    return element.get_begin() is not None or element.get_end() is not None
