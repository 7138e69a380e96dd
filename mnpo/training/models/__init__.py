"""Policies: loading, saving, hashing, and the models that need no hub."""
