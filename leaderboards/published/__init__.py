"""The project's own results, committed as CSV and Markdown, and how they are made again."""
