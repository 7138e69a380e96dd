"""Judges that need no server: local models and the trainer's oracles; and how judges are named."""
