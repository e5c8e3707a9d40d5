"""The language model: tokens, layers, and keys and values.

transformer  Qwen2 and Qwen3                   cache          keys and values, preallocated
tokens     the tokenizer and time stamps       context        frames that fit a context with an end

Never knows where visual tokens come from.
"""
