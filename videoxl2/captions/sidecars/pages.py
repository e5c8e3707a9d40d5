"""Code pages from before Unicode: which languages used which, and how likely a text is in one.

A page is likely where the letters it gives are those that its languages use most, in words of one script and
without capitals inside.
"""

import re
from itertools import pairwise

_CHINESE, _TAIWAN, _JAPANESE, _KOREAN = "gb18030", "big5", "cp932", "cp949"
_EUC_JAPANESE = "euc_jp"

_LANGUAGES = {
    ("cp1251", "koi8-r", "cp866"): "ru bg mk",
    ("cp1251", "koi8-u", "cp866"): "uk be",
    ("cp1250", "iso8859-2"): "cs sk pl hu sl hr bs ro sq sr-Latn",
    ("cp1250", "cp1251"): "sr",
    ("cp1257", "iso8859-13"): "lt lv et",
    ("cp1253",): "el",
    ("cp1254",): "tr az",
    ("cp1255",): "he yi",
    ("cp1256",): "ar fa ur",
    ("cp1258",): "vi",
    ("cp874",): "th",
    (_CHINESE, _TAIWAN): "zh zh-Hans zh-CN zh-SG",
    (_TAIWAN, _CHINESE): "zh-Hant zh-TW zh-HK yue",
    (_JAPANESE, _EUC_JAPANESE): "ja",
    (_KOREAN,): "ko",
}
PAGES_OF = {language: pages for pages, languages in _LANGUAGES.items() for language in languages.split()}

# What is usual in each page. Capitals are rarer, and left to chance.
_QUOTES = "“”„‘’–—…«»¿¡°♪"
_CYRILLIC = "оеаинтсрвлкмдпуяызьбгчйіїє"
_USUAL = {
    "cp1252": "éèêàâäáåæçñóôöøúùûüíîïßãõ" + _QUOTES,
    "cp1250": "áčďéěíňóřšťúůýžąćęłńśźżőűöüăâîşţđ" + _QUOTES,
    "cp1251": _CYRILLIC + _QUOTES,
    "koi8-r": _CYRILLIC,
    "koi8-u": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": "αοιετσνηυρπκμλωςάίόέήύώ" + _QUOTES,
    "cp1254": "ışğçöüâİ" + _QUOTES,
    "cp1255": "יוהאלרתבשמנדםחכקעפ" + _QUOTES,
    "cp1256": "اليمنرتوبةعدسفهكقحجشطصخىأ،؟ی" + _QUOTES,
    "cp1257": "āčēģīķļņšūžąęėįųõäöü" + _QUOTES,
    "cp874": "านรอกเงมยลวดทสตะปบคหแจพชขใไโผ่้ิีืุู็ั์ำ",
}
_USUAL["iso8859-2"] = _USUAL["cp1250"]
_USUAL["iso8859-13"] = _USUAL["cp1257"]
_UNUSUAL = {"cp1252": re.compile("õ(?![eE])")}  # but in Hungarian that is read in the wrong page
_LATIN = {"cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-13"}
# Of two bytes, by the first: kana, hangul or the commoner ideographs; and what proves less.
_LEADS = {
    _KOREAN: (range(0xB0, 0xC9), range(0)),
    _CHINESE: (range(0xB0, 0xD8), range(0xA1, 0xA4)),
    _TAIWAN: (range(0xA4, 0xC7), range(0xA1, 0xA4)),
    _JAPANESE: (range(0x82, 0x84), range(0x88, 0x98)),
    _EUC_JAPANESE: (range(0xA4, 0xA6), range(0xB0, 0xD0)),
}
_HALF_WIDTH = range(0xFF61, 0xFFA0)  # katakana: single bytes of what is no Japanese at all
ALL_PAGES = (
    *("cp1252", "cp1254", "cp1250", "cp1251", "koi8-r", "cp866", "cp1253", "cp1255", "cp1256", "cp874"),
    *_LEADS,
)
_WORD = re.compile(r"[^\W\d_]+")
_LONG_RUN = re.compile(r"[^\W\d_a-zA-Z]{3,}")  # of letters with marks, in a Latin word


def likelihood(sample: bytes, page: str) -> float:
    """Likelihood that a sample is of a code page, at most 1; below 0 it is of another one."""
    text = sample.decode(page, "replace")
    num_told = sum(character > "\x7f" for character in text)
    if not num_told:
        return 0.0
    weights = _two_byte_weights(text, page) if page in _LEADS else _one_byte_weights(text, page)
    return weights / num_told


def _one_byte_weights(text: str, page: str) -> float:
    usual = _USUAL[page]
    weight = 0.0
    for character in text:
        if character > "\x7f":
            weight += 1 if character in usual else 0 if character.isalpha() else -1
    if page in _LATIN:
        odd = sum(len(run) for run in _LONG_RUN.findall(text))
    else:
        odd = sum(_num_marked(word) for word in _WORD.findall(text) if _num_marked(word) != len(word))
    if page in _UNUSUAL:
        odd += len(_UNUSUAL[page].findall(text))
    return weight - 2 * odd - _num_capitals_inside(text)


def _num_marked(word: str) -> int:
    return sum(character > "\x7f" for character in word)


def _num_capitals_inside(text: str) -> int:
    return sum(
        before.islower() and after.isupper() and max(before, after) > "\x7f"
        for before, after in pairwise(text)
    )


def _two_byte_weights(text: str, page: str) -> float:
    """Other characters count in full where a sixth are common ones, as all Japanese has kana. Common ones
    count in full where the second byte is as it is in this page alone: in Taiwan's it is often a letter's."""
    common, others = _LEADS[page]
    told = [character for character in text if character > "\x7f"]
    num_wrong = sum(character == "\ufffd" or ord(character) in _HALF_WIDTH for character in told)
    codes = [character.encode(page, "replace") for character in told]
    leads = [code[0] for code in codes]
    num_common = sum(lead in common for lead in leads)
    num_others = sum(lead in others for lead in leads)
    if page == _TAIWAN and 10 * sum(code[-1] < 0x7F for code in codes) < len(told):
        num_common //= 2
    return num_common + num_others * (1 if 6 * num_common >= len(told) else 0.5) - num_wrong
