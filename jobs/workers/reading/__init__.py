"""Reading of videos on CPUs, beside the model: spans of frames as tasks, in order, ahead of their use.

spans     one span of one video, a task      read_ahead  the tasks' spans in order
one_pass  frames and signals of one decode   scratch     fetched videos on a node's disk
said      what is said, for prompts

Knows files and frames; never the model, an answer or a row.
"""
