"""Answers as pictures, by matplotlib: PNG and SVG.

Read `curves` first: it has `draw_recommendation` and `draw_comparison`, which take an answer and
return a figure. `breakeven` has `draw_break_even`. `axes` has what they draw on and in, `marks`
what of a sweep stands out, `canvas` the style and `render_figure`, which makes the file.
"""
