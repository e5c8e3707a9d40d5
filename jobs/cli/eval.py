"""The verb `eval`: an index against the truth, or a model against a published benchmark."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jobs.benchmarks.names import BENCHMARKS
from jobs.cli.options import FILE, switch, value
from jobs.cli.verb import index_options, verb, with_options
from jobs.settings.given import index_place, load_settings
from jobs.ui.terminal import say, show_json
from schemas.failures import ExitCode, UsageError

if TYPE_CHECKING:
    from jobs.reports.evaluation.truth import Measure

FOLDER = click.Path(path_type=Path, file_okay=False)
INDEX_FLAGS = ("index", "endpoint_url")


# What `eval` asks the model, and how.
benchmark_options = with_options(
    click.option("--benchmark", type=click.Choice(BENCHMARKS), help="Ask the model this benchmark."),
    value("--questions", "FILE|DIR", "The benchmark's own annotations.", FILE),
    value("--videos", "DIR", "Where the benchmark's videos are.", FOLDER),
    value("--model", "DIR|HUB_ID", "Weights, e.g. BAAI/Video-XL-2."),
    value("--dtype", "TYPE", "auto, float32, bfloat16 or float16. [auto]"),
    value("--fps", "RATE", "Pictures per second. [as published: 1, short videos 4]"),
    value("--max-frames", None, "Pictures a video at most. [as published]", int),
    value("--limit", None, "Only the first so many questions. [all]", int),
    switch("--skip-unusable", "Leave out videos missing, broken or too short.", default=False),
    value("--answers", "FILE", "JSONL of every answer; resumes from it.", FILE),
)


@verb(
    "eval --index catalog --truth ground-truth.json",
    "eval --benchmark mlvu --questions MLVU/json --videos MLVU/video \\\n"
    "      --model BAAI/Video-XL-2 --answers mlvu.jsonl",
    name="eval",
)
@index_options
@click.option("--truth", type=click.Path(path_type=Path), help="Ground truth; docs/evaluation.md.")
@benchmark_options
def evaluate(as_json: bool, benchmark: str | None, **flags: Any) -> int:
    """Measure how right the index is, against a ground-truth file; or the model, against a benchmark.

    With --truth an index is judged. With --benchmark the model itself answers the questions of a published
    benchmark about local videos; repeating the command with the same --answers file resumes.
    """
    _refuse_mixed(benchmark, _typed(flags))
    if benchmark:
        return _run_benchmark(as_json, benchmark, flags)
    return _judge_index(as_json, flags)


def _judge_index(as_json: bool, flags: dict[str, Any]) -> int:
    from jobs.reports.evaluation.truth import evaluate as evaluate_index
    from jobs.reports.evaluation.truth import read_truth
    from storage.query.catalog import again_if_changed, open_catalog

    place = index_place({name: flags[name] for name in INDEX_FLAGS})
    known = read_truth(flags["truth"])

    def read() -> "list[Measure]":
        with open_catalog(*place) as catalog:
            return list(evaluate_index(catalog, known))

    measures = again_if_changed(read)
    if as_json:
        show_json(measures)
    else:
        _show_measures(measures)
    return ExitCode.DONE


def _typed(flags: Collection[str]) -> set[str]:
    """Those on the command line: what the settings file holds for other verbs is not meant here."""
    context = click.get_current_context()
    return {name for name in flags if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def _refuse_mixed(benchmark: str | None, given: set[str]) -> None:
    """An index or a benchmark is evaluated, not both; each has options that it needs."""
    needed = ("questions", "videos") if benchmark else ("truth",)
    of_index = {"truth", *INDEX_FLAGS}
    foreign = sorted(given & of_index if benchmark else given - of_index)
    if foreign:
        flag = foreign[0].replace("_", "-")
        mode = "--benchmark asks the model" if benchmark else "without --benchmark an index is judged"
        raise UsageError(
            f"--{flag} has no meaning here: {mode}", "See the two examples of media-index eval --help."
        )
    for name in needed:
        if name not in given:
            raise UsageError(f"no {name} given", f"Add --{name} …; see media-index eval --help.")


def _run_benchmark(as_json: bool, benchmark: str, flags: dict[str, Any]) -> int:
    from jobs.benchmarks.run import BenchmarkSettings, run_benchmark

    loaded = load_settings({name: flags[name] for name in ("model", "dtype")}, needs=("model",))
    values = flags | {name: loaded[name] for name in ("model", "dtype") if name in loaded}
    asked = {name: value for name, value in values.items() if name not in ("truth", *INDEX_FLAGS)}
    settings = BenchmarkSettings.of(benchmark=benchmark, **asked)
    report = run_benchmark(settings, lambda line: say(line, err=True))
    if as_json:
        show_json(report)
    else:
        say(
            f"{report.benchmark}: {report.num_answered} of {report.num_questions} questions answered, "
            f"{report.num_videos} videos, sampled at {report.min_fps:.3g} to {report.max_fps:.3g} pictures a "
            f"second, {report.min_frames} to {report.max_frames} pictures, "
            f"{report.allowed_mass:.3g} of the probability on allowed answers"
        )
        _show_measures(report.measures)
    unanswered = report.num_answered < report.num_questions
    return ExitCode.DONE_WITH_FAILURES if unanswered else ExitCode.DONE


def _show_measures(measures: "Sequence[Measure]") -> None:
    from jobs.ui.tables import show_rows

    show_rows(("measure", "value", "over"), [(m.name, f"{m.value:.3f}", m.over) for m in measures])
