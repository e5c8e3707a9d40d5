"""The driver: the one process of a run that owns its state, hands out videos and commits rows.

run         checks, a plan, a claim               execution  the plan carried out, to the run's own row
loop        videos to actors, one for each        telling    what it says while it works
settling    what it leaves in the index           stopping   a signal or a lost lease ends it
node_check  whether nodes have what it needs

Knows Ray handles and results; never opens a video, an answer or a tensor.
"""
