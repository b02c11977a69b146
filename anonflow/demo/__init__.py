"""The sample that a new user can try everything on: made here, from a public-domain portrait."""
