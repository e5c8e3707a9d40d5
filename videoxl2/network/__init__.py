"""The network: weights and the forward passes of each model's parts, as in its reference.

configs    sizes and settings that a checkpoint's files say, and which model it holds
layers     what both halves are made of: attention, a decoder's layer, positions
vision     pictures to patch features, and those to tokens of the language model
language   the language model, its cache, its tokenizer and how much its context holds

network    Video-XL-2's parts in one tree       llava_video, qwen_network   the same for the others
encoder    frame groups to visual tokens        checkpoint  weights by their published names
footprint  bytes of all of it by formula        spread      layers over several devices
quantising layers in fewer bits, as they are read
clock      seconds per stage                    memory      out-of-memory errors, batches halved
transfer   copies between host and device

Knows tensors; never a prompt's meaning, nor how a text is chosen.
"""
