"""Settings: read once from file and flags, checked, and stored with the run.

config  all settings    limits  deadlines and failure budgets    since  from when on

Below the command line there are only arguments: nothing else reads a settings file or the environment.
"""
