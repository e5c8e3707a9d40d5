"""What a sidecar's name says of its captions: `film.Director's cut.pt-BR.forced.srt`.

Parts are read from the right. Flags and one language are taken out, whatever is left is a title. `hi` is
Hindi, unless something else names a language: then it is "hearing impaired".
"""

import re
from collections.abc import Iterable

from videoxl2.captions.records import Labels
from videoxl2.frames.probing.languages import TWO_LETTERS, language_tag

_FORCED = {"forced", "foreign"}
_HEARING_IMPAIRED = {"sdh", "cc"}
_EITHER = "hi"
_DEFAULT, _COMMENTARY = {"default"}, {"commentary"}
_FLAGS = _FORCED | _HEARING_IMPAIRED | _DEFAULT | _COMMENTARY | {_EITHER}
_SPLIT = re.compile(r"[\s()\[\]_+,-]+")
_TAG = re.compile(r"([a-z]{2,3})([-_][a-z]{4})?([-_]([a-z]{2}|[0-9]{3}))?")  # language, script, region

# Names as people write them; a word's language where it is not the word itself.
_NAMES = """
albanian sq|arabic ar|armenian hy|azerbaijani az|basque eu|belarusian be|bengali bn|bosnian bs|bulgarian bg
burmese my|catalan ca|chinese zh|croatian hr|czech cs|danish da|dutch nl|english en|estonian et|finnish fi
french fr|galician gl|georgian ka|german de|greek el|hebrew he|hindi hi|hungarian hu|icelandic is
indonesian id|irish ga|italian it|japanese ja|kannada kn|kazakh kk|khmer km|korean ko|lao lo|latin la
latvian lv|lithuanian lt|macedonian mk|malay ms|malayalam ml|marathi mr|mongolian mn|nepali ne|norwegian no
persian fa|farsi fa|polish pl|portuguese pt|punjabi pa|romanian ro|russian ru|serbian sr|sinhala si|slovak sk
slovenian sl|spanish es|swahili sw|swedish sv|tagalog tl|tamil ta|telugu te|thai th|turkish tr|ukrainian uk
urdu ur|uzbek uz|vietnamese vi|welsh cy|brazilian pt-BR|pob pt-BR|chs zh-Hans|cht zh-Hant|mandarin zh
cantonese yue|deutsch de|français fr|español es|castellano es|italiano it|português pt|nederlands nl
svenska sv|dansk da|norsk no|suomi fi|polski pl|русский ru|українська uk|日本語 ja|中文 zh|한국어 ko
"""
_BY_NAME = dict(entry.split() for entry in re.split(r"[|\n]", _NAMES.strip()))
_WITHOUT_TWO_LETTERS = {"ast", "ceb", "cmn", "fil", "gsw", "haw", "hmn", "mai", "nds", "scn", "yue"}
_KNOWN = TWO_LETTERS.keys() | set(TWO_LETTERS.values()) | _WITHOUT_TWO_LETTERS


def read_name(name: str, video_name: str) -> Labels:
    """Read the labels in a sidecar's name, which begins with the video's, with or without its extension."""
    flags: list[str] = []
    left: list[str] = []
    written: str | None = None
    for part in reversed(_own_parts(name, video_name)):
        words = [part] if _language(part) else [word for word in _SPLIT.split(part) if word]
        told = [word for word in words if word.casefold() not in _FLAGS]
        is_new_language = written is None and len(told) == 1 and _language(told[0]) is not None
        if told and not is_new_language:
            left.insert(0, part)
            continue
        flags += (word.casefold() for word in words if word not in told)
        written = told[0] if told else written
    if written is None and _EITHER in flags:
        flags.remove(_EITHER)
        written = _EITHER
    return Labels(
        language=_language(written) if written else None,
        language_as_written=written,
        title=".".join(left) or None,
        is_default=not _DEFAULT.isdisjoint(flags),
        is_forced=not _FORCED.isdisjoint(flags),
        is_hearing_impaired=not (_HEARING_IMPAIRED | {_EITHER}).isdisjoint(flags),
        is_commentary=not _COMMENTARY.isdisjoint(flags),
    )


def _own_parts(name: str, video_name: str) -> list[str]:
    """What stands between the video's name and the extension, by dots."""
    rest = name.rpartition(".")[0]
    for start in (video_name, video_name.rpartition(".")[0]):
        if rest == start or rest.startswith(start + "."):
            rest = rest[len(start) :]
            break
    return [part.strip() for part in rest.split(".") if part.strip()]


def _language(word: str) -> str | None:
    """BCP 47; None: no language that is known by such a code or name."""
    if named := _BY_NAME.get(word.casefold()):
        return named
    tag = _TAG.fullmatch(word.casefold())
    if tag is None or tag[1] not in _KNOWN or tag[4] in _FLAGS:
        return None
    return language_tag(word)


def sidecars_to_read(names: Iterable[str]) -> list[str]:
    """A video's sidecars without those that another one stands for: `film.sub` beside `film.idx`."""
    told = list(names)
    indexes = {name[:-4] for name in told if name.lower().endswith(".idx")}
    return [name for name in told if not (name.lower().endswith(".sub") and name[:-4] in indexes)]
