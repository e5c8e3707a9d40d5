"""What runs on Ray's workers: the model actor, and the tasks that read and post-process its videos.

actor        the model: reads ahead, prefills, answers      reading  spans of frames, as tasks
postprocess  boundaries to cuts, keyframes, rows, bundle; postprocess_tasks, on CPUs
scratch      fetched videos on a node's disk                  said     what is said, for prompts
hanging      a call that hangs becomes a crash                read_ahead  the tasks' spans in order
deadlines    how long tasks may take
one_pass     frames for the model and signals at once, where that is better
placement    where models run                                 node_probe  what a node has

Knows one video at a time; never commits, and never decides what a failure leads to.
"""
