"""Figures that papers print, beside ours."""
