"""What the files of a checkpoint say: where they are, whose they are, sizes and settings.

source     local folder or hub id              families      which model the weights are
config     sizes of every model but Qwen-VL    qwen_config   those of Qwen2.5-VL and Qwen3-VL
config_file  sizes read from a folder          picture_size  which size pictures are shown in

Knows no tensor but the names of weights.
"""
