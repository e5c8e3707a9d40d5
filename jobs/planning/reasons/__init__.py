"""Why videos need work: one look at listing and index gives every video one reason.

reasons     new, changed, stale, failed, gone    copies      videos with the same bytes
staleness   what became of a recipe              stale_rows  what is stale of a video's rows

Knows listing and index; never what the work costs.
"""
