"""The report page: one HTML file that needs no network.

Sweeps with their answers go in, as an `SweepView` each (in `data`). Read `html` first: it makes the
page of one or several, and of a comparison; `shell` makes a file of a template, words and data, for
every page: `functions` has those of a scan and a fleet, `timings` those of a load, of cold starts
and of a workflow, `spend` its own. The words are in the HTML (`sections`, `tables`, the templates
in the folder assets), so that they can be read without scripts; the charts are drawn by uPlot from
the numbers beside.
"""
