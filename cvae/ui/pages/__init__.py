"""Provide the parts of each page. Train uses `training` and `dataset`, Measure also `papers`."""
