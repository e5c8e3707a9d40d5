"""The benchmarks that `eval` can ask, by name; `formats` has one for each."""

BENCHMARKS = ("mlvu", "videomme", "lvbench", "charades-sta", "timelens")
