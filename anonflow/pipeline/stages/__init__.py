"""The stages as plain functions of a row and the run; none of them knows Ray."""
