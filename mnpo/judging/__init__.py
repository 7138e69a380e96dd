"""Asking judges: one executor, a declared form of the answer, a durable cache, a hard budget."""
