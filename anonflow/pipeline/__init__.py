"""The dataflow: what flows, in which order, on which resources, and what is kept of it."""
