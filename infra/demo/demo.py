"""The demo: a library of real files, indexed by the real command line, then asked.

    python infra/demo/demo.py FOLDER

FOLDER/library holds the videos (whatever is dropped there is indexed too), FOLDER/index the result.
"""

import shlex
import subprocess
import sys
from pathlib import Path

from make_films import make_films

SAY = "\033[1m{}\033[0m" if sys.stdout.isatty() else "{}"


def step(title: str) -> None:
    """A heading between the commands."""
    print(f"\n{SAY.format('== ' + title)}", flush=True)


def media_index(*arguments: str, allowed: tuple[int, ...] = (0,)) -> None:
    """Show the command as a person would type it, run it, and end the demo where it fails."""
    print(f"$ {shlex.join(['media-index', *arguments])}", flush=True)
    code = subprocess.run([Path(sys.executable).parent / "media-index", *arguments]).returncode
    if code not in allowed:
        sys.exit(code)


def main() -> None:
    """Make the films, index them, and show that the index answers."""
    folder = Path(sys.argv[1])
    library, index = folder / "library", folder / "index"

    step(f"A library of real video files: {library} (drop your own there and run this again)")
    make_films(library)
    for path in sorted(library.iterdir()):
        print(f"  {path.stat().st_size / 1000:8.0f} kB  {path.name}")

    step("Index it: Ray tasks read frames, one actor runs Video-XL-2, the driver commits")
    where = ("--library", str(library), "--index", str(index))
    media_index("run", *where, allowed=(0, 3))  # 3: something in the library could not be used

    step("The same again: what is committed is never paid for twice")
    media_index("run", *where, allowed=(0, 3))

    step("What is in the index")
    media_index("status", "--index", str(index))

    step("A question in SQL")
    query = "select title, container, duration_ms, num_frames_sampled from videos order by title"
    media_index("sql", "--index", str(index), query)

    step("One file that makes questions fast, then a search by words and one by meaning")
    media_index("build", "--index", str(index))
    media_index("search", "--index", str(index), "--kind", "videos", "walker at night")
    media_index("search", "--index", str(index), "--kind", "videos", "somebody strolling after dark")

    step("To look at it in a browser, run this and open http://127.0.0.1:8080")
    print(f"$ {Path(sys.executable).parent / 'media-index'} serve --index {shlex.quote(str(index))}")


if __name__ == "__main__":
    main()
