"""A board as CSV, Markdown, JSON, LaTeX and one HTML page."""
