"""The verb `eval`: how right an index is, by the truth that people wrote down."""
