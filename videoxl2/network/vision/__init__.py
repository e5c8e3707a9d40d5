"""From pictures to tokens of the language model.

images     uint8 frames to pixels              siglip         SigLIP: pixels to patch features
dts        4 frames of features to 1           projector      features to language tokens
qwen_tower  towers of Qwen-VL, whose pictures keep their shape, and qwen_pictures, their patches

Never knows what is asked.
"""
