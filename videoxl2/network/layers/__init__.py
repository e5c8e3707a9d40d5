"""Layers that towers and language models share.

attention  one signature, several kernels      decoder_layer  a layer of Qwen2 or Qwen3
rotary     positions of one number, or three   joined         several products as one
embedding  weights that are read later         query_aware    tokens that a prompt keeps
quantised  products with 8-bit and 4-bit weights

Knows no picture and no token.
"""
