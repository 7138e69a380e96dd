"""Who prefers what: preference oracles behind one interface."""
