"""How much a mask plan leaks over time, against exact ground truth."""
