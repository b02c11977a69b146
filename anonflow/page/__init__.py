"""Reports for people: pages of facts, tables and plots, each one file that opens without a network."""
