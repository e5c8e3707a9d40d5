"""The verb `eval`: an index against the truth, or a model against a published benchmark."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jobs.benchmarks.names import BENCHMARKS
from jobs.cli.options import (
    FILE,
    gpus_per_model_option,
    kv_options,
    model_option,
    pixel_options,
    switch,
    value,
    values,
    weight_bits_option,
)
from jobs.cli.verb import index_options, verb, with_options
from jobs.settings.given import index_place, load_settings
from jobs.ui.terminal import say, show_json
from schemas.failures import ExitCode, UsageError

if TYPE_CHECKING:
    from jobs.benchmarks.run import BenchmarkComparison
    from jobs.reports.evaluation.tallies import Difference, Measure, Tally

FOLDER = click.Path(path_type=Path, file_okay=False)
INDEX_FLAGS = ("index", "endpoint_url")


# What `eval` asks the model, and how.
benchmark_options = with_options(
    click.option("--benchmark", type=click.Choice(BENCHMARKS), help="Ask the model this benchmark."),
    value("--questions", "FILE|DIR", "The benchmark's own annotations.", FILE),
    value("--videos", "DIR", "Where the benchmark's videos are.", FOLDER),
    values("--model", "models", "DIR|HUB_ID|s3://…", "Weights, e.g. BAAI/Video-XL-2; several are compared."),
    model_option,
    value("--dtype", "TYPE", "auto, float32, bfloat16 or float16. [auto]"),
    weight_bits_option,
    gpus_per_model_option,
    value("--fps", "RATE", "Pictures per second. [as published: 1, short videos 4]"),
    value("--max-frames", None, "Pictures a video at most. [as published]", int),
    pixel_options,
    kv_options,
    value("--limit", None, "Only the first so many questions. [all]", int),
    switch("--skip-unusable", "Leave out videos missing, broken or too short.", default=False),
    value("--answers", "FILE", "JSONL of every answer; resumes. Several models: a folder.", FILE),
)


@verb(
    "eval --index catalog --truth ground-truth.json",
    "eval --benchmark mlvu --questions MLVU/json --videos MLVU/video \\\n"
    "      --model BAAI/Video-XL-2 --answers mlvu.jsonl",
    "eval --index before --against after --truth ground-truth.json",
    name="eval",
)
@index_options
@click.option("--against", metavar="DIR|s3://…", help="Another index, held against the first.")
@click.option("--truth", type=click.Path(path_type=Path), help="Ground truth; docs/evaluation.md.")
@benchmark_options
def evaluate(as_json: bool, benchmark: str | None, **flags: Any) -> int:
    """Measure how right the index is, against a ground-truth file; or the model, against a benchmark.

    With --truth an index is judged. With --benchmark the model itself answers the questions of a published
    benchmark about local videos; repeating the command with the same --answers resumes. Two indexes, or
    several models, are compared with the first: the difference, and its 95 % interval over the videos.
    """
    _refuse_mixed(benchmark, _typed(flags))
    if benchmark:
        return _run_benchmark(as_json, benchmark, flags)
    return _judge_index(as_json, flags)


def _judge_index(as_json: bool, flags: dict[str, Any]) -> int:
    from jobs.reports.evaluation.tallies import compare
    from jobs.reports.evaluation.truth import read_truth, tally_index
    from storage.query.catalog import open_catalog
    from storage.query.lost_parts import again_if_changed

    index, endpoint_url = index_place({name: flags[name] for name in INDEX_FLAGS})
    known = read_truth(flags["truth"])

    def tallies_of(place: str) -> "list[Tally]":
        def read() -> "list[Tally]":
            with open_catalog(place, endpoint_url) as catalog:
                return tally_index(catalog, known)

        return again_if_changed(read)

    found = tallies_of(index)
    if flags["against"] is None:
        measures = [tally.measure() for tally in found]
        show_json(measures) if as_json else _show_measures(measures)
        return ExitCode.DONE
    differences = compare(found, tallies_of(flags["against"]))
    if as_json:
        show_json(differences)
    else:
        _show_differences(index, flags["against"], differences)
    return ExitCode.DONE


def _typed(flags: Collection[str]) -> set[str]:
    """Those on the command line: what the settings file holds for other verbs is not meant here."""
    context = click.get_current_context()
    return {name for name in flags if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def _refuse_mixed(benchmark: str | None, given: set[str]) -> None:
    """An index or a benchmark is evaluated, not both; each has options that it needs."""
    needed = ("questions", "videos") if benchmark else ("truth",)
    of_index = {"against", "truth", *INDEX_FLAGS}
    foreign = sorted(given & of_index if benchmark else given - of_index)
    if foreign:
        named = {"models": "model", "model_options": "model-option"}
        flag = named.get(foreign[0], foreign[0].replace("_", "-"))
        mode = "--benchmark asks the model" if benchmark else "without --benchmark an index is judged"
        raise UsageError(
            f"--{flag} has no meaning here: {mode}", "See the two examples of media-index eval --help."
        )
    for name in needed:
        if name not in given:
            raise UsageError(f"no {name} given", f"Add --{name} …; see media-index eval --help.")


def _run_benchmark(as_json: bool, benchmark: str, flags: dict[str, Any]) -> int:
    from jobs.benchmarks.run import compare_models
    from jobs.benchmarks.settings import BenchmarkSettings

    load_settings({"model": flags["models"]}, needs=("model",))
    asked = {name: value for name, value in flags.items() if name not in ("against", "truth", *INDEX_FLAGS)}
    settings = BenchmarkSettings.of(benchmark=benchmark, **asked)
    found = compare_models(settings, lambda line: say(line, err=True))
    if as_json:
        show_json(found if found.differences else found.reports[0])
    else:
        _show_reports(found)
    unanswered = any(report.num_answered < report.num_questions for report in found.reports)
    return ExitCode.DONE_WITH_FAILURES if unanswered else ExitCode.DONE


def _show_reports(found: "BenchmarkComparison") -> None:
    for report in found.reports:
        model = f", {report.model_id}" if found.differences else ""
        say(
            f"{report.benchmark}{model}: {report.num_answered} of {report.num_questions} questions answered, "
            f"{report.num_videos} videos, sampled at {report.min_fps:.3g} to {report.max_fps:.3g} pictures a "
            f"second, {report.min_frames} to {report.max_frames} pictures, "
            f"{report.allowed_mass:.3g} of the probability on allowed answers"
        )
    if not found.differences:
        _show_measures(found.reports[0].measures)
    for difference in found.differences:
        say(f"\nOver the {difference.num_questions} questions that both answered:")
        _show_differences(difference.first, difference.other, difference.measures)


def _show_differences(first: str, other: str, differences: "Sequence[Difference]") -> None:
    from jobs.ui.tables import show_rows

    show_rows(
        ("measure", first, other, "difference", "95 % interval", "over"),
        [
            (
                d.name,
                f"{d.first:.3f}",
                f"{d.other:.3f}",
                f"{d.difference:+.3f}",
                _interval(d),
                d.over,
            )
            for d in differences
        ],
    )


def _interval(difference: "Difference") -> str:
    if difference.low is None or difference.high is None:
        return "one video: none"
    return f"{difference.low:+.3f} … {difference.high:+.3f}"


def _show_measures(measures: "Sequence[Measure]") -> None:
    from jobs.ui.tables import show_rows

    show_rows(("measure", "value", "over"), [(m.name, f"{m.value:.3f}", m.over) for m in measures])
