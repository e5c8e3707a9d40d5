"""Every record that crosses a package border: identity, answers, table rows, failures.

identity  which video, which bytes, which recipe: the ids everything else is keyed by
answers   what the model is asked to say, one pydantic type per prompt
rows      what all rows of the tables are made of: bytes, recipe, model, prompt, run
tables    the rows readers query; the Parquet columns and the column docs come from these
measured  those of them that signals fill, read off a video without the model
commit    the unit of visibility: all rows of one video or of one run
failures  failure classes, user-facing errors and their exit codes

Nothing here knows Ray, S3, Parquet, DuckDB or torch.
"""
