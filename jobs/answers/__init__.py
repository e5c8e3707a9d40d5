"""One video through the model, as plain functions: asked window by window, checked, joined, and made rows."""
