"""Slot programs: an answer type turned into what the host writes and what the model fills in.

programs  one for an answer type    fields  one field    records  lists of records
times     times on the sampled grid    types  the types of fields

Knows answer types and slots; never the model.
"""
