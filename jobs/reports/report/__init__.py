"""The verb `report`: what one run, or all runs of some time, did and what is to be done about it.

period    which runs are meant
records   what a report says
content   read from the index, with one SQL file per section
plots     pictures as inline SVG
page      one HTML file that needs nothing else
text      the same in a terminal
"""
