"""What videos will take: pictures, tokens and seconds, by what the index has recorded of earlier ones.

expected      planned videos, one by one           video_costs   what one takes of its actor
asked         pictures, questions and their room   history       attempts and runs on record
lengths       how long videos are                  shapes        in which width and height
headers       what files say of themselves         signal_costs  signals: seconds of a CPU
signal_runs   what such runs took besides

Knows records and headers; never which videos are chosen, or why.
"""
