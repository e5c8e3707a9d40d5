"""Whether every prompt can be asked of a model: checked with its tokenizer, before anything is spent."""

from collections.abc import Sequence
from pathlib import Path

from jobs.prompts.pack import Prompt
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from schemas.failures import UsageError
from videoxl2.errors import ModelError
from videoxl2.network.tokens import Vocabulary

_LONGEST_MS = 864_000_000  # ten days: the longest times to write


def check_budgets(prompts: Sequence[Prompt], weights: Path) -> None:
    """Raises `UsageError` for a prompt that cannot be written, or is given too few tokens for one record."""
    vocabulary = Vocabulary.from_folder(weights)
    for prompt in prompts:
        context = AnswerContext(_LONGEST_MS, (0,), max_tokens=prompt.max_new_tokens)
        try:
            vocabulary.suffix_ids(prompt.fill(context))
            program_for(prompt.answer, context, vocabulary.count)
        except (ModelError, UsageError) as error:
            raise UsageError(f"prompt {prompt.prompt_id}: {error.message}", error.hint) from None
