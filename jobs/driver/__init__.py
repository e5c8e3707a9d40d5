"""The driver: the one process of a run that owns its state, hands out videos and commits rows.

run         a run from plan to report row              settling  what it leaves in the index
loop        videos to actors, one in flight for each   telling   what it says while it works
node_check  whether nodes have what it needs           stopping  a signal or a lost lease ends it

Knows Ray handles and results; never opens a video, an answer or a tensor.
"""
