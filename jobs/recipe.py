"""What is asked of which model, how: the part of a row's identity that is not the video's."""

import json
from dataclasses import dataclass
from fractions import Fraction

from jobs.prompt_pack import Prompt
from schemas.identity import digest


@dataclass(frozen=True)
class Recipe:
    """Two runs with equal recipes would write equal rows; any difference here is new work.

    `model_id` is for people and stays out of the hash: the same weights in another folder are the same.
    """

    model_id: str
    model_revision: str
    fps: Fraction
    max_frames: int
    prompts: tuple[Prompt, ...]

    @property
    def recipe_id(self) -> str:
        """Hash over model revision, prompt texts, answer schemas and sampling settings."""
        prompts = [
            [p.name, p.version, p.max_new_tokens, p.text, p.answer.model_json_schema()] for p in self.prompts
        ]
        return digest(
            "recipe",
            self.model_revision,
            str(self.fps),
            str(self.max_frames),
            json.dumps(prompts, sort_keys=True),
        )
