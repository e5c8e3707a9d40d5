"""What the files of a checkpoint say: where they are, whose they are, sizes and settings.

source     local folder or hub id              families      which model the weights are
hub        heads of what is on the hub, for who plans
config     sizes of every model but Qwen-VL    qwen_config   those of Qwen2.5-VL and Qwen3-VL
qwen_files  what lies beside those: sizes and colours of pictures, pictures a second
config_file  sizes read from a folder          picture_size  which size pictures are shown in
chat       text around video and prompt    chat_template  the same from a checkpoint's template
model_options  settings of one family by name    json_files  objects read from a file
weight_bits  in how many bits layers are kept

Knows no tensor but the names of weights.
"""
