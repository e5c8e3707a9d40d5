"""What the index says of runs, of one video and of its own quality, for people and as JSON.

report      the verb `report`          explain     the verb `explain`
evaluation  the verb `eval`            status      the verb `status`
next_steps  what to do now             recipe_changes  what a new recipe changed

Only reads an index; never Ray, never a video.
"""
