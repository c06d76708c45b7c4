"""Answers as pictures, by matplotlib: PNG and SVG.

`draw_recommendation`, `draw_comparison` and `draw_break_even` make a figure, each in its own
module. `axes` has what they draw on and in, `marks` what of a sweep stands out, `canvas` the style
and `render_figure`, which makes the file.
"""
