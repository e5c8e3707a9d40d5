"""What a search found, for people: where to look, then what is there, with the words that match marked."""

from collections.abc import Sequence

from rich.markup import escape

from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.tables import PipeConsole
from jobs.ui.terminal import say
from jobs.ui.words import timecode, visible
from storage.query.search import Hit

MAX_SAID = 240  # characters of a hit; --json has all


def show_hits(hits: Sequence[Hit]) -> None:
    """One block per hit: where to look and what found it, then what is there, matches marked."""
    console = PipeConsole(highlight=False, soft_wrap=True)
    marks = ("[bold yellow]", "[/bold yellow]") if console.is_terminal else ("*", "*")
    for hit in hits:
        where = "" if hit.start_ms is None else f"  {timecode(hit.start_ms)}"
        scores = [
            f"{name} {score:.2f}"
            for name, score in (("words", hit.words_score), ("meaning", hit.meaning_score))
            if score is not None
        ]
        uri = escape(visible(hit.uri))
        console.print(f"[bold]{uri}[/bold]{where}  [dim]{hit.kind}, {' and '.join(scores)}[/dim]")
        console.print(f"    {_said(hit, marks)}")
    models = sorted({MadeBy(hit.model_id, hit.model_revision) for hit in hits if hit.model_id})
    if models:
        console.print(f"[dim]by {escape(visible(', '.join(model.name for model in models)))}[/dim]")
    for note in notes_on(models):
        say(f"note: {note}", err=True)
    if not hits:
        say("no hits", err=True)


def _said(hit: Hit, marks: tuple[str, str]) -> str:
    """Title and text as rich's markup, cut to a readable length."""
    lead = f"{hit.title}: " if hit.title and hit.text else hit.title
    said = lead + hit.text
    spans = [*hit.title_matches, *((len(lead) + start, len(lead) + end) for start, end in hit.text_matches)]
    length = MAX_SAID if len(said) <= MAX_SAID else MAX_SAID - 1
    pieces, done = [], 0
    for start, end in spans:
        if end <= length and not _is_in_path(hit, said, start, end):
            pieces += [_markup(said[done:start]), marks[0], _markup(said[start:end]), marks[1]]
            done = end
    return "".join([*pieces, _markup(said[done:length]), "…" if length < len(said) else ""])


def _markup(text: str) -> str:
    return escape(visible(text))


def _is_in_path(hit: Hit, said: str, start: int, end: int) -> bool:
    """Names of files are to be copied, so nothing is marked in them; one may be the title."""
    if end <= len(hit.title) and hit.uri.endswith(hit.title):
        return True
    before, after = said[:start].rsplit(None, 1), said[end:].split(None, 1)
    word = (before[-1] if before and not said[start - 1].isspace() else "") + said[start:end]
    return "/" in word + (after[0] if after and not said[end].isspace() else "")
