"""Generation: chunked prefill of a video once, then decoding of many prompts on that one cache.

models     a model's class each: frames in, a session out
session    one prefilled video, and what can be asked of it
prefill    frames in groups as they come, chunk by chunk
decoding   steps, the loop for one prompt, the loop for many
kv         where a chunk's tokens lie, and which of them a prompt sees: dense and pooled
blind      the same question without the video

Knows tokens and logits; never labels, slots or JSON.
"""
