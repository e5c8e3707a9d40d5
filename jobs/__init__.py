"""The batch job: settings, plan, prompts, Ray tasks and actors, and the command line.

cli          the verbs; terminal and progress are what a person sees of them
config       settings: file, then flags
prompt_pack  prompt files and their versions
wire         how answers are written and read
programs     an answer type becomes the slots that the model fills (program_*)
asking       one prompt to a prefilled video, window by window
weights      which checkpoint a run uses
recipe       what is asked of which model, hashed
plan         which videos need work, and why
analysis     one video through the model, as a plain function
rows         an analysis becomes the rows of one bundle
failures     what each class of failure leads to
scratch      node-local copies of the objects being read
reading      span tasks and their ordered look-ahead window
actor        the model, pinned to one GPU
finishing    boundaries move to cuts, answers become a bundle; on CPUs
runner       the driver loop: dispatch, settle, retry
status       the verb: what is in the index
web          the verb serve: a read-only page over an index
evaluation   the verb: an index against the truth; metrics is its arithmetic
checks       what an answer type cannot say by itself
queue        order of work
settle       an outcome becomes durable, then visible
run          the verb: preflight, plan, execute, publish, record
cluster      the only place that starts or joins Ray
"""
