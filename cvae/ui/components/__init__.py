"""These components run in the browser: the live explorer and the live view of a training."""
