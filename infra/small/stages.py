"""How long and how fast each stage of the recipe learns, and what its decisions weigh."""

import math
from dataclasses import replace

from training import Stage

# What an answer takes from the video and not from itself is little of it.
_LOOKED_UP = {"lookups.title": 3.0, "lookups.end": 3.0, "lookups.summary": 8.0}
_TIMES = {"video.time": 2.0, "scenes.time": 10.0, "highlights.time": 10.0}
_SCENES = {"scenes.title": 5.0, "scenes.summary": 8.0, "scenes.time of day": 8.0, "scenes.characters": 5.0}
_WHO = {"characters.label": 15.0, "characters.description": 8.0}
_BEST = {"highlights.title": 5.0, "highlights.kind": 5.0}
_ASKED = _LOOKED_UP | _TIMES | _SCENES | _WHO | _BEST
_FIGURES = {"characters.description": 12.0, "characters.kind": 4.0, "summary.summary": 2.0}
_RARE = {"highlights.time": 30.0, "highlights.title": 15.0, "highlights.kind": 15.0, "scenes.time": 15.0}

# The eyes.
PICTURES = Stage("pictures", steps=6000, size=48, rate=2e-3)
GROUPS = Stage("groups", steps=3000, size=32, rate=2e-3)
CUTS = Stage("cuts", steps=6000, size=32, rate=1.5e-3)

# The language model, with perfect eyes.
LOOKUPS = Stage(
    "lookups",
    steps=250,
    size=2000,
    rate=2e-3,
    inner=2,
    longest_s=((0.1, 60), (1, 250)),
    long_power=1,
    weights=_LOOKED_UP,
)
LANGUAGE = Stage(
    "language",
    steps=400,
    size=1800,
    rate=2e-3,
    warm_up=100,
    inner=2,
    longest_s=((0.05, 60), (1, math.inf)),
    long_power=0.7,
    weights=_ASKED,
)
SUMMARIES = replace(LANGUAGE, name="summaries", steps=240, warm_up=20)

# Both.
CODE = Stage("code", steps=1200, size=48, rate=1.5e-3)
# The same for the columns of figures, when the network has grown.
FIGURES = replace(CODE, name="figures")
_RARER = _ASKED | _RARE | _FIGURES | {"highlights.time": 40.0}
ANSWERS = replace(LANGUAGE, name="answers", steps=1500, rate=1.5e-3, weights=_RARER)
# From what a narrower checkpoint knows, which is not to be lost.
GOING_ON = Stage(
    "going on",
    steps=400,
    size=1800,
    rate=2e-4,
    warm_up=20,
    long_power=0.6,
    weights=_RARER | {"characters.label": 10.0},
    is_gentle=True,
)
