"""The read-only web page over an index; docs/serve.md says what it shows and how it is kept safe.

serve      binds the port and runs the server until Ctrl-C
app        addresses, and what an error looks like
guards     headers of every answer; which Host headers are answered
open_index the open index, shared by all requests, renewed when a snapshot is published
finding    what the search form asks, and its hits: the one place that knows storage.query.search
videos     one video's rows, and the overview
timeline   where scenes, highlights and characters lie on the video page
pages      HTML            api       the same as JSON
media      the video       pictures  thumbnails
looks      templates, and how times and texts are written in them
"""
