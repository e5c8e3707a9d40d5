"""A user's JSON Schema, read once into an answer type of a prompt pack.

answer_schema  the answer type    reading  a schema's text into parts    parts  what a part may be
place          where in a schema something is wrong

Knows JSON Schema; never a tokenizer.
"""
