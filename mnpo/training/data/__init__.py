"""Prompts, responses, and the files they come from."""
