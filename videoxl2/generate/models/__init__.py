"""The models, behind one interface.

video_model  `VideoModel`: frames in, a session out   loading       any of them, from a folder or hub id
video_xl2    `VideoXL2`                               video_xl_pro  `VideoXLPro`, prefilled for each prompt
llava_video  `LlavaVideo`                             qwen_vl       `Qwen25VL` and `Qwen3VL`
positions    of Qwen-VL's tokens: time, row, column   placing       devices and numbers of the weights

Each says what it cannot do.
"""
