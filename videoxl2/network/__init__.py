"""The network: weights and the forward passes of its four parts, each as in the reference.

network    Video-XL-2's four parts in one tree     config      sizes
llava_video  the same for LLaVA-Video              families    which of them a checkpoint holds
qwen_network  the same for Qwen2.5-VL, Qwen3-VL   qwen_vision  their towers, whose pictures keep their shape
qwen_config  their sizes                           qwen_pictures  frames to patches
rotary     positions of one number, or of three    picture_size  which size pictures are shown in
context    frames that fit a context with an end   query_aware  tokens that a prompt keeps
vision     SigLIP: pixels to patch features        dts         4 frames of features to 1
projector  features to language tokens             language    Qwen2 and Qwen3
encoder    frame groups to visual tokens           images      uint8 frames to pixels
attention  one signature, several kernels          cache       keys and values, preallocated
tokens     the tokenizer and time stamps           checkpoint  weights by their published names
config_file  sizes read from a checkpoint folder
source     local folder or hub id                  memory      out-of-memory errors, batches halved
clock      seconds per stage                       embedding   weights that are read later

Knows tensors; never a prompt's meaning, nor how a text is chosen.
"""
