"""Leaderboards: collect what runs found, rate, rank, compare with papers, and render.

`collect` reads run directories into a `Board`; `ratings` turns games between policies into ratings
with intervals; `render` writes a board as CSV, Markdown, JSON, LaTeX and one HTML page; `paper`
puts printed figures beside ours; `claims` tests what the papers claim; `chain` trains, evaluates
and renders in one folder.
"""
