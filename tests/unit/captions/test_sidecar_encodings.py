"""Bytes of sidecars to text, whatever wrote them."""

import pytest

from videoxl2.captions.sidecars.encodings import decode

# Languages, the pages that they were written in before Unicode, and things that are said in films.
SAID = [
    ("fr", "cp1252", ["Où est-ce que tu étais ?", "Ça ne fait rien, je t'ai déjà pardonné."]),
    ("de", "cp1252", ["Das ist schön, aber ich weiß nicht, warum.", "Für die Straße brauche ich Schuhe."]),
    ("es", "cp1252", ["¿Dónde has estado?", "¡Qué alegría verte otra vez, señor!"]),
    ("pt", "cp1252", ["Não há razão para ficar em silêncio.", "A situação já está sob controlo, irmão."]),
    ("sv", "cp1252", ["Var har du varit någonstans?", "Är du rädd för mörkret?"]),
    ("en", "cp1252", ["“Where have you been?”", "I don’t know – it’s late…"]),
    ("cs", "cp1250", ["Nevím, proč to říkáš, příteli.", "Žádné děti tu už nežijí."]),
    ("hu", "cp1250", ["Minden ember egyenlő, és joga van.", "Őszintén szólva, gyönyörű volt."]),
    ("pl", "cp1250", ["Gdzie byłeś całą noc?", "Proszę, zamknij te drzwi, źle się czuję."]),
    ("ru", "cp1251", ["Где ты был всю ночь?", "Пожалуйста, закрой дверь, мне холодно."]),
    ("ru", "koi8-r", ["Где ты был всю ночь?", "Пожалуйста, закрой дверь, мне холодно."]),
    ("ru", "cp866", ["Где ты был всю ночь?", "Пожалуйста, закрой дверь, мне холодно."]),
    ("uk", "cp1251", ["Де ти був цілу ніч?", "Будь ласка, зачини двері, мені холодно."]),
    ("el", "cp1253", ["Πού ήσουν όλη τη νύχτα;", "Σε παρακαλώ, κλείσε την πόρτα."]),
    ("tr", "cp1254", ["Neden güldüğünü bilmiyorum.", "Lütfen kapıyı kapat, üşüyorum."]),
    ("he", "cp1255", ["איפה היית כל הלילה?", "בבקשה תסגור את הדלת, קר לי."]),
    ("ar", "cp1256", ["أين كنت طوال الليل؟", "من فضلك أغلق الباب، أشعر بالبرد."]),
    ("th", "cp874", ["คุณอยู่ที่ไหนทั้งคืน", "กรุณาปิดประตู ฉันหนาว"]),
    ("zh", "gb18030", ["你整晚去哪儿了？", "请把门关上，我很冷。"]),
    ("zh", "big5", ["你整晚去哪裡了？", "請把門關上，我很冷。"]),
    ("ja", "cp932", ["一晩中どこにいたの？", "ドアを閉めてください、寒いです。"]),
    ("ja", "euc_jp", ["一晩中どこにいたの？", "ドアを閉めてください、寒いです。"]),
    ("ja", "euc_jp", ["人間は理性と良心とを授けられており", "権利とについて平等である。"]),
    ("ko", "cp949", ["밤새 어디 있었어?", "문을 닫아 주세요, 추워요."]),
]


def _subrip(lines: list[str], num_cues: int) -> str:
    return "".join(
        f"{number + 1}\r\n00:00:{number:02},000 --> 00:00:{number + 1:02},500\r\n{lines[number % 2]}\r\n\r\n"
        for number in range(num_cues)
    )


@pytest.mark.parametrize(("language", "page", "lines"), SAID)
@pytest.mark.parametrize("num_cues", [1, 50])
def test_the_language_says_which_page_it_is(
    language: str, page: str, lines: list[str], num_cues: int
) -> None:
    """Not one letter wrong, from a single line on."""
    text = _subrip(lines, num_cues)
    found = decode(text.encode(page), language)
    assert (found.text, found.is_guessed) == (text, True)


@pytest.mark.parametrize(("language", "page", "lines"), SAID)
@pytest.mark.parametrize("num_cues", [2, 50])
def test_without_a_language_letters_say_it(language: str, page: str, lines: list[str], num_cues: int) -> None:
    """Of all pages the one whose letters make words."""
    text = _subrip(lines, num_cues)
    assert decode(text.encode(page)).text == text


@pytest.mark.parametrize(
    ("tag", "page"),
    [("zh-Hant-TW", "big5"), ("zh-Hans", "gb18030"), ("sr-Latn-RS", "cp1250"), ("sr", "cp1251")],
)
def test_script_and_region_of_a_language_count(tag: str, page: str) -> None:
    """What they share is written in several pages."""
    said = {
        "big5": "請把門關上，我很冷。",
        "gb18030": "请把门关上，我很冷。",
        "cp1250": "Žao mi je, gospodine.",
        "cp1251": "Жао ми је, господине.",
    }[page]
    assert decode(said.encode(page), tag).text == said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("said", ["plain words", "“Grüße”", "Где ты был?", "你整晚去哪儿了？"])
def test_unicode_is_certain(encoding: str, said: str) -> None:
    """By its mark, by zeros, or because nothing else follows its rules; whatever the name says."""
    text = _subrip([said, said], 3)
    found = decode(text.encode(encoding), "ru")
    assert (found.text, found.is_guessed) == (text, False)


def test_a_letter_that_is_cut_off_makes_no_other_page_of_it() -> None:
    """The rest of the file is as it was."""
    data = "Grüße, ¿qué? 你".encode()
    assert decode(data[:-1], "de").text == "Grüße, ¿qué? \ufffd"
    assert decode(data[:-1], "de").encoding == "utf-8"


def test_japanese_mail_is_known_by_its_escapes() -> None:
    """All of its bytes are ASCII."""
    found = decode("ドアを閉めて".encode("iso2022_jp"))
    assert (found.text, found.is_guessed) == ("ドアを閉めて", False)


def test_a_document_says_its_encoding() -> None:
    """Unless it is not true, or there is none of that name."""
    text = '<?xml version="1.0" encoding="{}"?><tt>Žao</tt>'
    assert decode(text.format("iso-8859-2").encode("iso-8859-2")).text == text.format("iso-8859-2")
    wrong = text.format("UTF-8").encode("cp1250")
    assert decode(wrong, "hr").text == text.format("UTF-8")
    for name in ("nonsense", "base64", "rot13", "punycode", "idna", "undefined", "unicode_escape"):
        found = decode(text.format(name).encode())
        assert (found.text, found.encoding) == (text.format(name), "utf-8")
