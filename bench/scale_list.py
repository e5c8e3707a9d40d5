"""Listing a library: pages side by side, boto3, obstore, and S3 Inventory."""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

from scale_measure import LIBRARY, apart, requests, serving


def list_ours(url: str) -> int:
    from storage.library.library import open_library
    from storage.library.selection import Selection

    return sum(1 for _ in open_library(LIBRARY, url).list_videos(Selection()))


def list_boto3(url: str) -> int:
    import boto3

    pages = boto3.client("s3", endpoint_url=url).get_paginator("list_objects_v2").paginate(Bucket="library")
    return sum(len(page["Contents"]) for page in pages)


def list_obstore(url: str) -> int:
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "library", endpoint=url, client_options={"allow_http": True}, virtual_hosted_style_request=False
    )
    return sum(len(page) for page in obstore.list(store, chunk_size=1000))


def list_inventory(manifest: str, url: str) -> int:
    from storage.library.library import open_library
    from storage.library.selection import Selection

    return sum(1 for _ in open_library(LIBRARY, url, manifest).list_videos(Selection()))


def bench_list(options: argparse.Namespace) -> None:
    """One line per lister and shape of library."""
    rows = [("boto3, page after page", list_boto3, "flat"), ("obstore, one stream", list_obstore, "flat")]
    rows += [("media-index", list_ours, shape) for shape in ("flat", "dated", "skewed")]
    for name, lister, shape in rows:
        if options.only and options.only not in name:
            continue
        with serving("--keys", options.keys, "--shape", shape, "--latency-ms", options.latency_ms) as url:
            measured = apart(lister, url)
            print(f"| {name} | {shape} |", measured, requests(url), flush=True)
    if not options.only or options.only == "inventory":
        with tempfile.TemporaryDirectory() as folder, serving() as url:
            for format_ in ("Parquet", "CSV"):
                manifest = write_inventory(Path(folder) / format_, options.keys, format_)
                print(f"| S3 Inventory, {format_} |", apart(list_inventory, manifest, url), flush=True)


def write_inventory(folder: Path, num_keys: int, format_: str) -> str:
    """Unsorted, in files of 250,000."""
    import duckdb

    (folder / "data").mkdir(parents=True)
    files = []
    names = {"key": "Key", "size": "Size", "last_modified_date": "LastModifiedDate"}
    names |= {"e_tag": "ETag", "storage_class": "StorageClass"}
    options = "FORMAT parquet" if format_ == "Parquet" else "FORMAT csv, HEADER false, FORCE_QUOTE *"
    for number, first in enumerate(range(0, num_keys, 250_000)):
        path = folder / "data" / f"{number}.{'parquet' if format_ == 'Parquet' else 'csv.gz'}"
        duckdb.sql(f"""COPY (
            SELECT format('videos/{{:08d}}.mp4', n) AS key, 1000000000 AS size,
                TIMESTAMP '2026-11-20 08:15:02' AS last_modified_date, format('{{:032x}}', n) AS e_tag,
                'STANDARD' AS storage_class
            FROM range({first}, {min(first + 250_000, num_keys)}) AS t(n) ORDER BY hash(n)
        ) TO '{path}' ({options})""")
        files.append({"key": path.name, "MD5checksum": hashlib.md5(path.read_bytes()).hexdigest()})
    schema = ", ".join(names.values())
    if format_ == "Parquet":
        schema = "message s3.inventory {" + "".join(f" required binary {name};" for name in names) + "}"
    manifest = {"sourceBucket": "library", "creationTimestamp": "1795000000000", "files": files}
    manifest |= {"fileFormat": format_, "fileSchema": schema}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return str(folder / "manifest.json")
