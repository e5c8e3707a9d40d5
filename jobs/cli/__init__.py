"""The command line: `main` is the console script, and each other module has the options of some verbs."""
