"""What is left of a video once the model is done with it, on CPUs.

postprocess  boundaries to cuts, keyframes, rows, bundle    tasks  the same as tasks on Ray
signals      what is measured in every picture              aside  rows of a video set aside

Knows one video's answers and file; never the model, and never commits.
"""
