"""The pictures of a report: matplotlib figures turned into inline SVG that follows the page."""
