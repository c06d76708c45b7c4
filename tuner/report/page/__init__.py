"""The report page: one HTML file that needs no network.

`Exhibit` is what is shown of one sweep; `render` makes the page of one or several, and of a
comparison. The words are in the HTML (`sections`, the templates in `assets`), so that they can be
read without scripts; the charts are drawn by uPlot from the numbers that `chart_data` puts beside.
"""
