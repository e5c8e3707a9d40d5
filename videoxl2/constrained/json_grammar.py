"""A JSON value on one line as a grammar of llguidance.

Compact, properties in the schema's order, no escapes but of quotes and backslashes. The blank before the
value and the ends behind it are part of the grammar, as one token may hold several of them.
"""

from __future__ import annotations

import json
from functools import lru_cache

from llguidance import LLMatcher

from videoxl2.constrained.json_schema import closing_bytes, rules_of
from videoxl2.constrained.slots import STOP
from videoxl2.constrained.token_bytes import Utf8, walk

# Blanks between the parts of a value would let a model go on for ever.
_COMPACT = {"whitespace_flexible": False, "json_allowed_escapes": '"\\'}


@lru_cache(maxsize=256)
def grammar(schema: str, ends: tuple[str, ...], stop_id: int) -> str:
    """Write the grammar of a JSON value and its ends for `LLMatcher`."""
    rules = json.dumps({**rules_of(schema), "x-guidance": _COMPACT}, ensure_ascii=False)
    end = " | ".join(f"<[{stop_id}]>" if end == STOP else json.dumps(end) for end in ends)
    return LLMatcher.grammar_from_lark(f'start: " " value end\nvalue: %json {rules}\nend: {end}\n')


def check_grammar(schema: str) -> None:
    """Raise `ValueError` for a schema that no `Json` takes, or that asks for what no line can hold."""
    closing_bytes(schema)
    text = json.dumps(rules_of(schema), ensure_ascii=False).encode("utf-8")
    if walk([text])[Utf8.START] != Utf8.START:
        raise ValueError("the schema asks for a control character, a line separator or a text direction")
    if problem := LLMatcher.validate_grammar(grammar(schema, ("\n",), 0)):
        raise ValueError(f"llguidance: {problem.splitlines()[0]}")
