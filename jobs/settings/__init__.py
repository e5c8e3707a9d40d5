"""Settings: read once from file and flags, checked, and stored with the run.

given   what flags and the file say       config  all settings, checked
file    media-index.toml                  limits  deadlines and failure budgets
times   durations and dates               signal_names  what is read unless told otherwise
model   those that benchmarks have, too   model_options  what one family of models has

Below the command line there are only arguments: nothing else reads a settings file or the environment.
"""
