"""Words of a run at work: to people, to log files and to Prometheus.

progress    bar and log lines              pace       hours of video done, and the time it will end
tally       running totals                 metrics    gauges and counters of Ray
watching    what the loop says, passed on  last_run   the end, as a file for Prometheus
node_words  what is said of nodes          output     to stderr, as text or JSON, and to logging

Knows plans, totals and failures; never decides anything.
"""
