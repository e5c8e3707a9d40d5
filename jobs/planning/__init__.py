"""What is to be done and why, what it will take, and whether all it needs is there. Spends nothing."""
