"""The report page: one HTML file that needs no network.

`data` has the `Exhibit`, what is shown of one sweep; `html` makes the page of one or several, and
of a comparison. The words are in the HTML (`sections`, `tables`, the templates in `assets`), so
that they can be read without scripts; the charts are drawn by uPlot from the numbers beside.
"""
