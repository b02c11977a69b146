"""What makes a run's record tamper-evident: canonical JSON, chains, Merkle trees, signatures."""
