"""Which of a video's caption tracks stands for what is said."""

# Whole ones first, then what players show, then the one of the most cues.
BEST_FIRST = "is_forced OR is_commentary, NOT is_default, num_cues DESC, track"
