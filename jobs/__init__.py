"""The batch job: settings, plan, prompts, Ray tasks and actors, and the command line.

A room imports only from those below it.

cli          the verbs
running      a run on Ray: driver, model actors, tasks    benchmarks   published questions about local videos
explain      all that is known of one video               exports      files for players and editing systems
web          the read-only page over an index
report       what runs did, what is to be done            evaluation   an index against the truth
planning     which videos need work, and why              answers      one video through the model, into rows
prompts      what is asked, how it may be answered        attempts     one try at one video
ui           what people type and read
config       settings: file, then flags; limits and since are among them
failures     what each class of failure leads to
weights      which checkpoint a run uses
"""
