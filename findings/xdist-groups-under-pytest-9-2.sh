#!/usr/bin/env bash
# pytest-xdist 3.8.0 under pytest 9.2.0: `--dist loadgroup` groups nothing. Tests with the same `xdist_group` mark run in
# different processes, without a word: xdist writes the group into `item._nodeid`, and pytest 9.2 reads a node's id from
# another attribute. Under pytest 9.0 the same tests stay together. Fixtures that rely on the group (a port, a cluster)
# are then made in every process. `--dist loadfile` and an own scheduler by `pytest_xdist_make_scheduler` work.
# Versions: pytest 9.2.0 and 9.0.3, pytest-xdist 3.8.0; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > test_together.py <<'PYTHON'
import os
import time

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(8))
def test_which_process(number):
    time.sleep(0.2)
    with open("processes", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PYTHON
for version in 9.0.3 9.2.0; do
    python3 -m pip install --quiet --disable-pip-version-check --target "packages-$version" \
        "pytest==$version" pytest-xdist==3.8.0
    rm -f processes
    PYTHONPATH="packages-$version" python3 -m pytest -q -n 2 --dist loadgroup -p no:cacheprovider test_together.py >log 2>&1
    echo "pytest $version: $(sort -u processes | wc -l) processes ran the group"
    sort -u processes | wc -l >"seen-$version"
done
[ "$(cat seen-9.0.3)" = 1 ]
[ "$(cat seen-9.2.0)" = 2 ]
echo "as described"
