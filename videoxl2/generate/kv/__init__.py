"""Keys and values of a video, and what a prompt sees of them.

layout     where each chunk lies               prefix         what rows see of the video
selection  which chunks stay dense             relevance      found by the model's own attention
bilevel    dense and pooled keys and values    caches         those of a video, and who sees which
"""
