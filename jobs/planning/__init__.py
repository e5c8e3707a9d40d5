"""What is to be done and why, what it will take, and whether all it needs is there. Spends nothing.

plan       what one command does to which videos    reasons   why videos need work
estimate   what a plan will take                    costs     what videos will take
lines      a plan as people read it                 ceiling   what one video may cost
preflight  all that a run needs, opened, checked    frames    how many frames fit at once
retry      videos out of quarantine
"""
