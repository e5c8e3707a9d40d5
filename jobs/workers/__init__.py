"""What runs on Ray's workers: the model actor, and the tasks that read and post-process its videos.

actor       the model: reads ahead, prefills, answers    reading         spans of frames, as tasks
placement   where models run                             postprocessing  answers to rows and a bundle
deadlines   how long tasks may take                      hanging         a call that hangs becomes a crash
node_probe  what a node has                              left_out        nodes that get no work
domain      the guard before a model

Knows one video at a time; never commits, and never decides what a failure leads to.
"""
