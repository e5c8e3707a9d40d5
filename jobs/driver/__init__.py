"""The driver: the one process of a run that owns its state, hands out videos and commits rows.

run      a run from plan to report row        runner    the loop: one video in flight per actor
actors   start, lose and replace actors       queue     which video is next
crew     actors, nodes and videos             watching  what the runner says, passed on
policy   what a failed try leads to           settle    commits, and the run's own rows
relinking  rows follow a moved object         progress  bar and log lines
metrics  gauges for Prometheus                 supervise  the loop in a thread, under watch
stopping  a signal or a lost lease ends it    tidying  merges small files by the way
machines  nodes that come and go, and the wait for them    node_words  how they are told of
node_check  whether nodes have what a run needs
last_run  what it came to, as a file for Prometheus

Knows Ray handles and results; never opens a video, an answer or a tensor.
"""
