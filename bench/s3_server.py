"""A stand-in for S3 that answers faster than any client asks, and counts requests. Only for benches.

It knows what media-index uses (list, put if absent, get, head), checks no signature and keeps everything in
memory. moto, which the tests use, looks at every key for each page and would be what is measured.
"""

import argparse
import json
import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

_DATE = "2026-11-20T08:15:02.000Z"
_NOTHING: Mapping[str, str] = {}


class Bucket:
    """Keys in order of their bytes; drawn ones have a size and an ETag, but no body."""

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.bodies: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []
        self.entries: dict[bytes, bytes] = {}  # their XML

    def draw(self, num_keys: int, shape: str) -> None:
        """`flat`: one folder of numbers; `dated`: a folder per day; `skewed`: nine in ten in one folder."""
        self.keys = sorted(_draw_key(shape, number).encode() for number in range(num_keys))
        self.entries = {key: _entry(key, f"{number:032x}", 10**9) for number, key in enumerate(self.keys)}

    def page(self, prefix: bytes, after: bytes, num_wanted: int) -> tuple[list[bytes], bytes | None]:
        with self.lock:
            first = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
            end = bisect_left(self.keys, prefix + b"\xff") if prefix else len(self.keys)
            last = min(first + num_wanted, end)
            found = [self.entries[key] for key in self.keys[first:last]]
            return found, self.keys[last - 1] if last < end else None


def _draw_key(shape: str, number: int) -> str:
    if shape == "dated" or (shape == "skewed" and number % 10 == 0):
        year, month, day = 2000 + number % 25, 1 + number // 25 % 12, 1 + number // 300 % 28
        return f"archive/{year}/{month:02}/{day:02}/clip {number}.mp4"
    return f"videos/{number:08}.mp4"


def _entry(key: bytes, etag: str, size: int) -> bytes:
    name = quote(key, safe="/").encode()
    return (
        b"<Contents><Key>%b</Key><LastModified>%b</LastModified><ETag>&quot;%b&quot;</ETag>"
        b"<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
        b"<Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>"
    ) % (name, _DATE.encode(), etag.encode(), size)


class Handler(BaseHTTPRequestHandler):
    """One request to the server's bucket."""

    bucket: Bucket
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment per answer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if url.path == "/requests":
            self._answer(200, json.dumps(self.bucket.requests).encode())
        elif "list-type" in query:
            self._list(query)
        else:
            self._count("GET")
            body = self.bucket.bodies.get(_key(url.path))
            if body is None:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            else:
                self._serve(body, self.headers.get("Range"))

    def do_HEAD(self) -> None:
        self._count("HEAD")
        body = self.bucket.bodies.get(_key(urlsplit(self.path).path))
        self._answer(404 if body is None else 200, body or b"")

    def _serve(self, body: bytes, wanted: str | None) -> None:
        """The whole object, or one range of it."""
        first, end = _range_of(wanted, len(body)) if wanted else (0, len(body))
        with self.bucket.lock:
            self.bucket.requests["bytes"] += end - first
        told = {"Content-Range": f"bytes {first}-{end - 1}/{len(body)}"} if wanted else {}
        self._answer(206 if wanted else 200, body[first:end], told)

    def do_PUT(self) -> None:
        self._count("PUT")
        key, body = _key(urlsplit(self.path).path), self.rfile.read(int(self.headers["Content-Length"]))
        with self.bucket.lock:
            is_new = key not in self.bucket.bodies
            if is_new:
                self.bucket.bodies[key] = body
                self.bucket.entries[key] = _entry(key, "0" * 32, len(body))
                insort(self.bucket.keys, key)
        self._answer(200 if is_new else 412, b"")

    def _list(self, query: dict[str, str]) -> None:
        num_wanted = int(query.get("max-keys", 1000))
        self._count("LIST" if num_wanted > 1 else "LIST of one key")
        after = query.get("continuation-token", query.get("start-after", ""))
        found, more = self.bucket.page(query.get("prefix", "").encode(), after.encode(), num_wanted)
        head = b"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%b</IsTruncated>" % (
            b"true" if more else b"false"
        )
        if more:
            head += b"<NextContinuationToken>%b</NextContinuationToken>" % more
        self._answer(200, head + b"".join(found) + b"</ListBucketResult>")

    def _count(self, kind: str) -> None:
        with self.bucket.lock:
            self.bucket.requests[kind] += 1
        time.sleep(self.bucket.latency_s)

    def _answer(self, status: int, body: bytes, told: Mapping[str, str] = _NOTHING) -> None:
        self.send_response_only(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.send_header("ETag", '"etag"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _range_of(wanted: str, size: int) -> tuple[int, int]:
    """First byte and end of `bytes=3-7`, `bytes=3-` or `bytes=-5`."""
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _key(path: str) -> bytes:
    return unquote(path).encode().partition(b"/")[2].partition(b"/")[2]


def main() -> None:
    """Serve one bucket of any name until killed; the first line on stdout is the URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=0)
    parser.add_argument("--shape", choices=("flat", "dated", "skewed"), default="flat")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    bucket = Bucket(options.latency_ms / 1000)
    bucket.draw(options.keys, options.shape)
    Handler.bucket = bucket
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
