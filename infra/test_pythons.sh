#!/usr/bin/env bash
# The unit tests that need no torch, on other Pythons than the one the lock is tested on:
#     infra/test_pythons.sh LOCK VERSION...
# An interpreter that is not installed is said and left out. An environment for each is kept in .venv-VERSION.
set -euo pipefail
lock=$1
shift
rooms=(exports frames jobs report storage web)
needs_torch=(jobs/answers/test_jobs_analysis.py jobs/answers/test_jobs_asking.py jobs/answers/test_jobs_hostile_rows.py)

for version in "$@"; do
    python=
    for candidate in "python$version" "$HOME"/.pyenv/versions/"$version".*/bin/python; do
        if "$candidate" -c '' 2>/dev/null; then python=$candidate; fi
    done
    if [ -z "$python" ]; then
        echo "skipped: Python $version is not installed" >&2
        continue
    fi
    venv=.venv-$version
    if [ "$lock" -nt "$venv/ready" ]; then
        "$python" -m venv "$venv"
        "$venv/bin/pip" install --quiet --no-deps --require-hashes --requirement "$lock"
        "$venv/bin/pip" install --quiet --no-deps --editable .
        touch "$venv/ready"
    fi
    "$venv/bin/pytest" "${rooms[@]/#/tests/unit/}" "${needs_torch[@]/#/--ignore=tests/unit/}"
done
