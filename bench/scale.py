"""What a library of a million videos costs before and beside the model: listing, planning, running.

    python bench/scale.py list --keys 100000 --latency-ms 80
    python bench/scale.py plan --videos 1000000
    python bench/scale.py run --videos 20000           # real Ray, runner, commits; a model that does nothing
    python bench/scale.py settle --videos 100000       # the driver's commits and publishes alone
    python bench/scale.py requests --publishes 20 100  # what questions to an index on S3 cost
    python bench/scale.py requests --rows 200000       # the same of large parts
    python bench/scale.py put --videos 2000            # the PUT of a commit, by boto3's client and by ours

S3 is bench/s3_server.py. Every figure is of a process of its own, without the server's CPU.
"""

import argparse

from scale_list import bench_list
from scale_plan import bench_plan
from scale_put import bench_put
from scale_requests import bench_requests
from scale_run import bench_run, bench_settle

BENCHES = {
    "list": bench_list,
    "plan": bench_plan,
    "run": bench_run,
    "settle": bench_settle,
    "put": bench_put,
    "requests": bench_requests,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=BENCHES)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--publishes", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--only", help="one row of the table")
    options = parser.parse_args()
    BENCHES[options.what](options)


if __name__ == "__main__":
    main()
