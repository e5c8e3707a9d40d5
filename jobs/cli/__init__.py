"""The command line: `entry` is the console script, `main` has all verbs, other modules options of some."""
