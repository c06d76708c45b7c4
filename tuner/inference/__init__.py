"""Fits duration over memory, with its uncertainty.

Read `curve` first: `fit_curve` takes warm samples (`sample`) of one payload and returns a `Curve`,
posterior draws of the mean duration at any size. Slow calls are taken out of the samples
(`outliers`), which become size levels with two layers of noise (`variance_components`). A library
of shapes that Lambda's CPU credit allows (`prior`) is weighed by them, with a discrepancy that no
shape has (`kernel`) and an earlier sweep's measurements (`prior_sweep`), and drawn from
(`posterior`); slow calls are put back (`slow_calls`). How single calls scatter around the curve has
its own distribution (`predictive`).
"""
