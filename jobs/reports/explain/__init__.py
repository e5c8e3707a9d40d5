"""The verb `explain`: everything the index knows of one video, and how it came about.

reading   from the index: revisions, commits, tries, failures
rows      which rows it has now, and what made them
standing  how it stands, and what can be done
records   what all this is
text      the same in a terminal
"""
