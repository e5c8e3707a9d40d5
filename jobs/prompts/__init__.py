"""What is asked, and how it may be answered: prompt packs, answer types, their slots, the recipe."""
