"""What the folder of a Qwen-VL checkpoint says of pictures besides its config.json.

`processor_config.json`, else `video_preprocessor_config.json`, speaks of videos. `preprocessor_config.json`
speaks of still images: no frame has more pixels than one, nor, where frames share no budget, fewer.
Loads no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.json_files import read_json
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR, OwnShape, PixelBudget, pixels_of_tokens
from videoxl2.network.configs.qwen_config import MERGED, Colours, QwenVision, qwen_pictures
from videoxl2.network.configs.source import STILLS_FILE, VIDEO_FILES

_BICUBIC = 3
_CAPPED_TOKENS = {Family.QWEN2_5_VL: 128_000, Family.QWEN3_VL: 768}  # of a video, of a frame


@dataclass(frozen=True)
class QwenPictures:
    """Sizes that pictures are shown in, mean and spread of their colours, by which they are normalised, and
    how many of a second of video are shown where nobody says."""

    sizes: OwnShape
    mean: Colours
    spread: Colours
    fps: Fraction | None = None


def read_pictures(folder: Path, family: Family, vision: QwenVision) -> QwenPictures:
    """Read the files that are there; what they leave out is as the makers' tools have it.

    Raises `CheckpointError` for values that cannot be run, or that contradict each other or config.json.
    """
    found = QwenPictures(qwen_pictures(family, vision.patch_size), vision.mean, vision.spread)
    stills = _File.of(folder / STILLS_FILE)
    if stills:
        stills.check(vision)
        found = replace(stills.coloured(found), sizes=stills.bounded(found.sizes))
    nested, own = VIDEO_FILES
    videos = _File.of(folder / nested, "video_processor") or _File.of(folder / own)
    if videos:
        videos.check(vision)
        sizes = videos.budgets(qwen_pictures(family, vision.patch_size), family)
        found = replace(videos.coloured(found), sizes=sizes, fps=videos.fps())
    return found


@dataclass(frozen=True)
class _File:
    """One of the files, or the part of it that is meant."""

    path: Path
    said: dict[str, Any]

    @classmethod
    def of(cls, path: Path, part: str | None = None) -> _File | None:
        """Read a file; None where it, or the part of it, is not there."""
        said: Any = read_json(path) if path.is_file() else None
        if said is not None and part is not None:
            said = said.get(part)
        return cls(path, said) if isinstance(said, dict) else None

    def check(self, vision: QwenVision) -> None:
        """Raise `CheckpointError` for steps and patches that are not run."""
        for name in ("do_resize", "do_rescale", "do_normalize"):
            self._demand(name, True)
        self._demand("resample", _BICUBIC)
        self._demand("patch_size", vision.patch_size)
        self._demand("merge_size", MERGED)
        self._demand("temporal_patch_size", FRAMES_PER_PAIR)
        factor = self._number("rescale_factor")
        if factor is not None and not math.isclose(factor, 1 / 255, rel_tol=1e-6):
            raise self._unusable("rescale_factor", factor, "only 1/255 is run")

    def coloured(self, pictures: QwenPictures) -> QwenPictures:
        """Return pictures with the mean and spread of this file."""
        mean, spread = self._colours("image_mean"), self._colours("image_std")
        if spread and min(spread) <= 0:
            raise self._unusable("image_std", spread, "it must be positive")
        return replace(pictures, mean=mean or pictures.mean, spread=spread or pictures.spread)

    def budgets(self, sizes: OwnShape, family: Family) -> OwnShape:
        """Return sizes with the budgets of this file, which speaks of videos."""
        least, most = self._pixels(sizes.unit)
        tokens = self._video_tokens(1 if sizes.is_shared else 2, _CAPPED_TOKENS[family])
        is_capped = self.said.get("cap_pixels_per_frame")
        if sizes.is_shared:
            per_frame = tokens * sizes.unit**2 if is_capped else None
            budget = PixelBudget(per_frame, most or sizes.most.at_once)
        else:
            at_once = None if is_capped is False else pixels_of_tokens(tokens, sizes.unit)
            budget = PixelBudget(most or sizes.most.per_frame, at_once)
        least = sizes.least if least is None else least
        if least > (bound := (budget.at_once if sizes.is_shared else budget.per_frame) or least):
            raise self._unusable("min_pixels", least, f"at most {bound} are shown")
        return replace(sizes, least=least, most=budget)

    def bounded(self, sizes: OwnShape) -> OwnShape:
        """Return sizes within those of still images."""
        least, most = self._pixels(sizes.unit)
        own = sizes.most.per_frame
        per_frame = own if most is None else min(most, own or most)
        budget = replace(sizes.most, per_frame=per_frame)
        if sizes.is_shared or least is None or per_frame is None:
            return replace(sizes, most=budget)
        return replace(sizes, least=min(max(least, sizes.least), per_frame), most=budget)

    def fps(self) -> Fraction | None:
        """Return the pictures a second that are shown of a video."""
        fps = self._number("fps")
        if fps is not None and not 0 < fps <= 240:
            raise self._unusable("fps", fps, "it must be positive and at most 240")
        if fps is not None and self.said.get("num_frames") is not None:
            raise self._unusable("num_frames", self.said["num_frames"], f"fps is {fps:g}, and one can hold")
        return None if fps is None else Fraction(str(fps))

    def _video_tokens(self, least: int, usual: int) -> int:
        """Return `max_video_tokens`, of which a pair of frames needs `least`."""
        tokens = self._number("max_video_tokens")
        if tokens is not None and tokens < least:
            raise self._unusable("max_video_tokens", tokens, f"a pair of frames needs {least}")
        return usual if tokens is None else int(tokens)

    def _pixels(self, unit: int) -> tuple[int | None, int | None]:
        """Return the least and most pixels, under any of their names."""
        size = self.said.get("size") or {}
        if not isinstance(size, dict) or {"height", "width"} & size.keys():
            raise self._unusable("size", size, "only least and most pixels are run, not a fixed size")
        least = self._one_of("min_pixels", size, "shortest_edge")
        most = self._one_of("max_pixels", size, "longest_edge")
        if most is not None and most < max(least or 0, unit**2):
            raise self._unusable("max_pixels", most, f"it must be at least {max(least or 0, unit**2)}")
        return least, most

    def _one_of(self, name: str, size: dict[str, Any], edge: str) -> int | None:
        found = (self.said.get(name), size.get(name), size.get(edge))
        said = list(dict.fromkeys(value for value in found if value is not None))
        if len(said) > 1 or not all(isinstance(value, int) and value > 0 for value in said):
            raise self._unusable(name, " and ".join(map(str, said)), "it must be one number of pixels")
        return int(said[0]) if said else None

    def _colours(self, name: str) -> Colours | None:
        said = self.said.get(name)
        if said is None:
            return None
        if not isinstance(said, list) or len(said) != 3 or not all(map(_is_finite, said)):
            raise self._unusable(name, said, "it must be three numbers")
        red, green, blue = map(float, said)
        return red, green, blue

    def _number(self, name: str) -> float | None:
        value = self.said.get(name)
        if value is not None and not _is_finite(value):
            raise self._unusable(name, value, "it must be a number")
        return value

    def _demand(self, name: str, wanted: object) -> None:
        value = self.said.get(name)
        if value is not None and value != wanted:
            raise self._unusable(name, value, f"only {wanted} is run")

    def _unusable(self, name: str, value: object, why: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path} says {name} {value}: {why}",
            "Restore the file from its source, or remove it: pictures are then shown as usual.",
        )


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
