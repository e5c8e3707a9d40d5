"""Drawn scenes for bench/search.py, written as an index's own parts: no video is read, no model asked.

Words follow Zipf's law over 60,000 made-up words; so do tags (2,000) and characters' labels (5,000).
A vector is one of 2,000 random directions plus noise, chosen by the text, so the same text gives the same.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.identity import digest
from storage.index.index import open_index
from storage.index.layout import new_part_key
from storage.index.publishing.parts import write_part
from storage.index.publishing.snapshots import create_next
from storage.index.tables.arrow_tables import arrow_schema
from storage.index.tables.columns import COLUMNS
from storage.objects.store import open_store
from storage.query.embedder import VECTOR_SIZE

SCENES = 50  # of one video
LABELS = 4  # characters of one video
SCENE_MS = 5_000
_SYLLABLES = [c + v for c in (*"bdfgklmnprstvz", "ch", "st") for v in "aeiou"]
_ENGLISH = {0: "the", 50: "red", 55: "car", 60: "night", 70: "street", 2_500: "lantern"}
_SEEN = {column.name for column in COLUMNS["appearances"]}
_BATCH = 400  # videos of one part


def zipf(rng: np.random.Generator, size: int, shape: Any) -> np.ndarray:
    """Ranks 0 … size-1, rank r as often as 1 / (r + 1)."""
    cumulated = np.cumsum(1 / np.arange(1, size + 1))
    return np.searchsorted(cumulated, rng.random(shape) * cumulated[-1])


def draw_words(size: int) -> np.ndarray:
    """By rank. Some are English, so that queries read well: "the" is in nine of ten scenes, "red" and
    "car" in one of fifteen, "lantern" in one of seven hundred."""
    rng = np.random.default_rng(1)
    words: list[str] = []
    known = set(_ENGLISH.values())
    while len(words) < size:
        word = "".join(rng.choice(_SYLLABLES, 2 if len(words) < 3_000 else 3))
        word = _ENGLISH.get(len(words), word)
        if word not in words[-1:] and (word not in known or len(words) in _ENGLISH):
            known.add(word)
            words.append(word)
    return np.array(words, dtype=object)


def make_index(folder: Path, num_scenes: int) -> None:
    """An index of `num_scenes` scenes in one snapshot."""
    open_index(str(folder), create=True)
    store = open_store(str(folder))
    rng = np.random.default_rng(2)
    words = draw_words(60_000)
    parts: dict[str, list[str]] = {}
    num_videos = num_scenes // SCENES
    for start in range(0, num_videos, _BATCH):
        for table, rows in _draw(rng, words, range(start, min(start + _BATCH, num_videos))).items():
            parts.setdefault(table, []).append(write_part(store, new_part_key(table, 1), rows))
    create_next(store, None, parts, {})


def _draw(rng: np.random.Generator, words: np.ndarray, videos: range) -> dict[str, pa.Table]:
    n = len(videos)
    uris = [f"s3://films/2026/{video:07}.mp4" for video in videos]
    keys = [digest("video", uri) for uri in uris]
    ids = {"video_id": keys, "analysis_key": keys, "object_rev": ["r"] * n, "recipe_id": ["recipe"] * n}
    modified = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=video) for video in videos]
    video: dict[str, Any] = {
        **ids,
        "uri": uris,
        "title": _texts(rng, words, n, 3, 6),
        "summary": _texts(rng, words, n, 20, 40),
    }
    video |= {"modified_at": modified, "created_at": modified, "duration_ms": [SCENES * SCENE_MS] * n}
    repeated = {name: np.repeat(np.array(values, object), SCENES) for name, values in ids.items()}
    index = np.tile(np.arange(SCENES), n)
    cast = np.stack([rng.permutation(LABELS)[:2] for _ in range(n * SCENES)])
    starts = index * SCENE_MS
    scene: dict[str, Any] = {
        **repeated,
        "scene_index": index,
        "start_ms": starts,
        "end_ms": starts + SCENE_MS,
    }
    scene |= {
        "title": _texts(rng, words, n * SCENES, 3, 6),
        "summary": _texts(rng, words, n * SCENES, 25, 55),
    }
    scene |= {
        "setting": _texts(rng, words, n * SCENES, 1, 3),
        "created_at": np.repeat(np.array(modified), SCENES),
    }
    scene["tags"] = [[f"tag{t}" for t in tags] for tags in zipf(rng, 2_000, (n * SCENES, 3))]
    scene["character_ids"] = [[f"C{c + 1}" for c in pair] for pair in cast]
    people: dict[str, Any] = {
        name: np.repeat(np.array(values, object), LABELS) for name, values in ids.items()
    }
    people["character_id"] = [f"C{c + 1}" for c in range(LABELS)] * n
    people["label"] = [f"person {p}" for p in zipf(rng, 5_000, n * LABELS)]
    seen: dict[str, Any] = {name: np.repeat(column, 2) for name, column in scene.items() if name in _SEEN}
    seen["character_id"] = [f"C{c + 1}" for c in cast.ravel()]
    commit = {**ids, "uri": uris, "snapshot": [1] * n, "content_rev": [""] * n, "state": ["rows"] * n}
    commit["created_at"] = modified
    tables = {"videos": video, "scenes": scene, "characters": people, "appearances": seen, "commits": commit}
    return {table: _table(table, columns) for table, columns in tables.items()}


def _table(table: str, columns: dict[str, Any]) -> pa.Table:
    """Columns that are not drawn are null."""
    length = len(columns["video_id"])
    schema = arrow_schema(COLUMNS[table])
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(length, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _texts(rng: np.random.Generator, words: np.ndarray, count: int, least: int, most: int) -> list[str]:
    lengths = rng.integers(least, most + 1, count)
    drawn = words[zipf(rng, len(words), int(lengths.sum()))]
    ends = np.cumsum(lengths)
    return [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]


class DrawnEmbedder:
    """Stands in for the model at sizes where that would take hours; same interface, same size."""

    name = "drawn"
    revision = "1"

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self._centres = rng.standard_normal((2_000, VECTOR_SIZE)).astype(np.float32)
        self._noise = rng.standard_normal((65_536, VECTOR_SIZE)).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """[len(texts), 384], each of length 1."""
        numbers = np.array([int.from_bytes(h[:8], "big") for h in _hashes(texts)], np.uint64)
        vectors = self._centres[numbers % 2_000] + 0.8 * self._noise[(numbers >> 16) % 65_536]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _hashes(texts: Sequence[str]) -> Iterator[bytes]:
    return (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
