"""What a sidecar's name says of its captions."""

import pytest

from videoxl2.captions.sidecars.names import read_name, sidecars_to_read


@pytest.mark.parametrize(
    ("name", "language", "written"),
    [
        ("film.srt", None, None),
        ("film.en.srt", "en", "en"),
        ("film.ENG.srt", "en", "ENG"),
        ("film.ger.srt", "de", "ger"),
        ("film.pt-BR.srt", "pt-BR", "pt-BR"),
        ("film.pt_br.srt", "pt-BR", "pt_br"),
        ("film.zh-Hans.srt", "zh-Hans", "zh-Hans"),
        ("film.es-419.srt", "es-419", "es-419"),
        ("film.English.srt", "en", "English"),
        ("film.Français.srt", "fr", "Français"),
        ("film.pob.srt", "pt-BR", "pob"),
        ("film.hi.srt", "hi", "hi"),
        ("film.yue.srt", "yue", "yue"),
        ("film.en.forced.srt", "en", "en"),
        ("film.en-forced.srt", "en", "en"),
        ("film.[en](sdh).srt", "en", "en"),
        ("film.mp4.de.srt", "de", "de"),
        ("film.cut.srt", None, None),
        ("film.xx.srt", None, None),
        ("film.und.srt", None, None),
        ("film.en.de.srt", "de", "de"),
    ],
)
def test_the_language(name: str, language: str | None, written: str | None) -> None:
    """By code, tag or name; three letters that are no language are none."""
    named = read_name(name, "film.mp4")
    assert (named.language, named.language_as_written) == (language, written)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("film.en.srt", ""),
        ("film.en.forced.srt", "forced"),
        ("film.foreign.en.srt", "forced"),
        ("film.en.sdh.srt", "hearing"),
        ("film.en.CC.srt", "hearing"),
        ("film.en-cc.srt", "hearing"),
        ("film.hi.en.srt", "hearing"),
        ("film.en.hi.srt", "hearing"),
        ("film.hi.srt", ""),
        ("film.hi.hi.srt", "hearing"),
        ("film.default.en.forced.sdh.srt", "default forced hearing"),
        ("film.en.commentary.srt", "commentary"),
        ("film.mp4.forced.srt", "forced"),
        ("film.unforced.srt", ""),
    ],
)
def test_flags(name: str, flags: str) -> None:
    """Several may stand together, on either side of the language."""
    named = read_name(name, "film.mp4")
    found = {
        "default": named.is_default,
        "forced": named.is_forced,
        "hearing": named.is_hearing_impaired,
        "commentary": named.is_commentary,
    }
    assert [flag for flag, is_set in found.items() if is_set] == flags.split()


@pytest.mark.parametrize(
    ("name", "title", "language"),
    [
        ("film.Director's cut.en.forced.srt", "Director's cut", "en"),
        ("film.en.Director's cut.srt", "Director's cut", "en"),
        ("film.v1.2.srt", "v1.2", None),
        ("film.fr.de.srt", "fr", "de"),
        ("film..srt", None, None),
        ("film.srt", None, None),
    ],
)
def test_what_is_neither_is_a_title(name: str, title: str | None, language: str | None) -> None:
    """As it is written."""
    named = read_name(name, "film.mp4")
    assert (named.title, named.language) == (title, language)


def test_the_videos_own_name_says_nothing() -> None:
    """Its stem may hold dots, codes and flags, and its full name may be in the sidecar's."""
    for name in ("a.en.forced.srt", "a.en.forced.mp4.srt"):
        named = read_name(name, "a.en.forced.mp4")
        assert (named.language, named.is_forced, named.title) == (None, False, None)


def test_the_pictures_of_an_index_are_not_read_twice() -> None:
    """A `.sub` alone may be text."""
    assert sidecars_to_read(["f.idx", "f.sub", "f.en.sub", "f.srt"]) == ["f.idx", "f.en.sub", "f.srt"]
    assert sidecars_to_read(["F.IDX", "F.SUB"]) == ["F.IDX"]
