"""Films drawn from a seed, valid but odd, each picture and its time known from how it was written.

    recipe   = draw(seed)                  # container, codec, GOP, B pictures, pace, jumps, edits, tracks …
    film     = make(folder, recipe)        # the file, and what it shows when
    judgement = judge(film)                # what the reader says of it, from every entry point

    barcode  pictures that carry a number        pace     how long each picture stays
    recipe   all that makes a film               drawing  what a seed draws
    coding   pictures to packets at any times    making   recipes to files
    edits    QuickTime edit lists                tracks   sound, subtitles, further video
    headers  MPEG headers changed by hand        spoiling ends and stretches lost, stamps that repeat
    film     what a file shows, and when         judging  the reader's answers against it

`python -m oddfilms SEED` (in `tests/support`) makes and judges one film.
Nothing here knows how the reader works: times come from the writer, never from a demuxer.
"""

from oddfilms.drawing import KINDS, draw
from oddfilms.film import Film
from oddfilms.judging import Judgement, judge
from oddfilms.making import make
from oddfilms.recipe import Recipe

__all__ = ["KINDS", "Film", "Judgement", "Recipe", "draw", "judge", "make"]
