#!/usr/bin/env bash
# transformers 5.23.0, Qwen2.5-VL: text that follows a long video gets positions inside of the video's time.
# `get_rope_index` gives 12 pairs of frames, one a second, the times 5 to 27, and the question behind them 9 to 14: it goes
# on behind the longer side of a picture, where the model was released to go on behind the largest position, with 28. What
# it returns as `rope_deltas` still goes by the largest. So the library contradicts itself: a prompt in one pass, and the
# same prompt in two (video first, then the question on its cache), have other logits. The second is as released: it
# equals one pass with positions that go on at 28. Short or wide videos show nothing, and there is no warning.
# Versions: transformers 5.23.0, torch 2.13.0, tokenizers 0.23.3; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps --retries 1 \
    --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers==0.23.3 numpy \
    filelock typing-extensions sympy networkx jinja2 fsspec "setuptools>=77.0.3"
cat > positions.py <<'PYTHON'
import torch
from transformers import DynamicCache, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

VIDEO = 151656
rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
text = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 152000,
    "rope_parameters": rope,
}
vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 64}
vision |= {"fullatt_block_indexes": [0], "tokens_per_second": 2}
config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, video_token_id=VIDEO)
model = Qwen2_5_VLForConditionalGeneration(config).eval().requires_grad_(False)
generator = torch.Generator().manual_seed(0)
for weights in model.parameters():
    weights.normal_(0, 0.3, generator=generator)

pairs, height, width = 12, 4, 8  # two frames each, one second from pair to pair; patches
question = [6, 7, 8, 9, 10, 11]
before = [1, 2, 3, 4, 5] + [VIDEO] * (pairs * height * width // 4)
ids = torch.tensor([before + question])
num_before = len(before)
kinds = (ids == VIDEO).int() * 2
film = {
    "pixel_values_videos": torch.randn(pairs * height * width, 3 * 2 * 14 * 14, generator=generator),
    "video_grid_thw": torch.tensor([[pairs, height, width]]),
    "second_per_grid_ts": torch.tensor([1.0]),
}
positions, deltas = model.model.get_rope_index(
    ids, mm_token_type_ids=kinds, video_grid_thw=film["video_grid_thw"], second_per_grid_ts=film["second_per_grid_ts"]
)
of_video, of_question = positions[0, 0, 5:num_before], positions[0, 0, num_before:].tolist()
print("times of the video:", of_video.min().item(), "to", of_video.max().item(), "| question:", of_question)

at_once = model(input_ids=ids, mm_token_type_ids=kinds, **film).logits[0, -1]
cache = DynamicCache(config=config)
model(input_ids=ids[:, :num_before], mm_token_type_ids=kinds[:, :num_before], past_key_values=cache, **film)
in_two = model(input_ids=ids[:, num_before:], past_key_values=cache).logits[0, -1]
positions[:, :, num_before:] = of_video.max() + 1 + torch.arange(len(question))
released = model(input_ids=ids, mm_token_type_ids=kinds, position_ids=positions, **film).logits[0, -1]
spread = released.std()
print(f"at once against in two passes: {((at_once - in_two).abs().max() / spread).item():.3f} of the logits' spread")
print(f"in two passes against as released: {((in_two - released).abs().max() / spread).item():.6f} of it")
assert (of_video.min(), of_video.max()) == (5, 27) and of_question == [9, 10, 11, 12, 13, 14]
assert deltas.item() == 28 - len(ids[0])
assert (at_once - in_two).abs().max() > 0.01 * spread
assert (in_two - released).abs().max() < 1e-3 * spread
PYTHON
venv/bin/python positions.py
echo "as described"
