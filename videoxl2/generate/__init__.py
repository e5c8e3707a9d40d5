"""Generation: chunked prefill of a video once, then decoding of many prompts on that one cache.

video_model  `VideoModel`: frames in, a session out  session       one prefilled video
model        `VideoXL2`, what is its own             llava_video   `LlavaVideo`, what is its own
loading      any of them, from a folder or hub id  video_xl_pro  `VideoXLPro`, prefilled for each prompt
qwen_vl      `Qwen25VL` and `Qwen3VL`             positions    of their tokens: time, row, column
prefill      chunk by chunk                          stream        frames in groups, as they come
layout       where each chunk's tokens lie           decode_step   steps recorded, and replayed
decode       the loop for one prompt                 batch_decode  many prompts, one prefix
row_cache    keys and values of the prompts          prefix        what rows see of the video
selection    which chunks stay dense                 relevance     found by the model's own attention
bilevel      dense and sparse keys and values        caches        those of a video, and who sees which
blind        the same question without the video  packing      which token of a pass belongs where

Knows tokens and logits; never labels, slots or JSON.
"""
