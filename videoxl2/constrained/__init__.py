"""Constrained decoding: the host writes labels, the model fills slots, and every text is valid.

slots        what may be filled in: text, choice, JSON    drive        many programs on the rows of one video
fill         one program, slot by slot                    masks        which tokens may come next
token_bytes  the bytes of each token                      json_slots   a JSON value as a slot
json_grammar llguidance grammars                          json_schema  the part of JSON Schema we take
choose       the most probable of some texts              hostile      logits that try to break all this

Knows a vocabulary and logits; never what the fields of an answer mean.
"""
