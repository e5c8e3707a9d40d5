"""The batch job: settings, plan, prompts, Ray tasks and actors, and the command line.

A room imports only from those below it.

cli          the verbs                                sdk      the same from Python
driver       hands out videos, commits rows           checks       the verb `doctor`
benchmarks   published questions about local videos   exports      files for players and editing systems
web          the read-only page over an index
workers      what runs on Ray's workers               reports      what runs did, how right an index is
planning     which videos need work, and why          answers      one video through the model, into rows
prompts      what is asked, how it may be answered    attempts     one try at one video
ui           what people type and read
cluster      starts or joins Ray                      settings     file, then flags
failures     what each class of failure leads to      weights      which checkpoint a run uses
logs         a file of JSON lines per process
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until somebody listens
