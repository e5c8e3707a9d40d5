"""Decoding of prompts on a prefilled video.

decode     the loop for one prompt             batch_decode   many prompts, one prefix
one_row    a step of one row                   decode_step    steps recorded, and replayed
row_cache  keys and values of the prompts      packing        which token of a pass belongs where
finite     logits that are no numbers end the answer
"""
