"""Answers as pictures, with matplotlib: PNG and SVG.

Read `curves` first: it has `draw_recommendation` and `draw_comparison`, which take an answer and
return a figure; `breakeven`, `spend` and `timings` (a load, a workflow) have the others. `axes` has
the parts they draw, `marks` a sweep's notable points, `canvas` the style and `render_figure`, which
makes the file.
"""
