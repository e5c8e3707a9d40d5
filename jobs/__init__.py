"""The batch job: settings, plan, prompts, Ray tasks and actors, and the command line.

cli          the verbs; terminal and progress are what a person sees of them
config       settings: file, then flags
prompt_pack  prompt files and their versions; packs/ are ours
answer_schema  a pack's JSON Schema becomes an answer type (schema_*)
budget       whether every prompt can be asked of a model, before anything is spent
wire         how answers are written and read
programs     an answer type becomes the slots that the model fills (program_*)
asking       one prompt to a prefilled video; windows, records, repetition and joining are its parts
weights      which checkpoint a run uses
recipe       what is asked of which model, hashed
plan         which videos need work, and why
analysis     one video through the model, as a plain function; sections of one too long for it
rows         an analysis becomes the rows of one bundle; answer_rows those of its answers
failures     what each class of failure leads to
scratch      node-local copies of the objects being read
reading      span tasks and their ordered look-ahead window
actor        the model, pinned to one GPU
finishing    boundaries move to cuts, answers become a bundle; on CPUs
runner       the driver loop: dispatch, settle, retry
status       the verb: what is in the index, who is at work on it, what is to be done
report       the verb: what a run did, as text, JSON and a page
explain      the verb: all that is known of one video
exit_codes   what they mean and what to do then
next_command  commands to copy; next_steps says which, for what is left to do
recipe_changes  what differs between two recipes, in words
exports      the verb: chapters, subtitles, edit lists, markers, web data, rows
benchmarks   the verb eval --benchmark: published questions about local videos
keyframes    which pictures stand for rows
web          the verb serve: a read-only page over an index
evaluation   the verb: an index against the truth; metrics is its arithmetic
checks       what an answer type cannot say by itself
queue        order of work
settle       an outcome becomes durable, then visible
run          the verb: preflight, plan, execute, publish, record
cluster      the only place that starts or joins Ray
"""
