"""Models' answers to a benchmark's questions: generated here, or given in a file."""
