"""Isotonic regression, held against scipy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import isotonic_regression

from tuner.inference.posterior import never_rising

CURVES = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-20, 20, allow_subnormal=False),
)


@given(CURVES, st.data())
def test_rows_are_those_of_scipy(curves: np.ndarray, data: st.DataObject) -> None:
    """Every row is what scipy's isotonic regression makes of it, and what was given stays."""
    before = curves.copy()
    width = curves.shape[1]
    weights = data.draw(arrays.arrays(np.float64, width, elements=st.floats(0.01, 100)))
    fallen = never_rising(curves, weights)
    for row, curve in zip(fallen, curves, strict=True):
        expected = isotonic_regression(curve, weights=weights, increasing=False).x
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9)
    assert np.array_equal(curves, before)


def test_what_never_rises_is_left_alone() -> None:
    """A row without a rise comes back as it was."""
    curve = np.log([[900.0, 300.0, 300.0, 100.1, 100.0]])
    np.testing.assert_allclose(never_rising(curve, np.arange(1.0, 6.0)), curve, rtol=1e-14)
