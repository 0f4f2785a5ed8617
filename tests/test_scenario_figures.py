"""Tests of the pictures of all scenarios: nested loops, lollipops and heat maps."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from hlm.errors import InputError
from hlm.figures.facets import arrange
from hlm.figures.heat import heat
from hlm.figures.lollipop import lollipop
from hlm.figures.multiples import Look
from hlm.figures.nested_loop import LoopRow, loops, nested_loop
from hlm.measures import share_limits
from tests.test_figures import legend_texts, overlaps, texts

Z = 1.959963984540054
GRID = {"units": (10, 30, 100), "rows": (5, 15), "cor": (0.0, 0.5, 0.9), "shape": ("t", "normal")}
SHARE = Look(
    "Coverage", reference=lambda _: [0.95], reference_label="nominal", ends=(0, 1), shares=True
)
VALUE = Look("Bias", reference=lambda _: [0.0])


def made(grid=GRID, models=("one", "two"), methods=("reml", "ml"), terms=("x", "z"), seed=3):
    """Return a value, another in each row, for each point, model, method and term, shuffled."""
    keys = [*product(product(*grid.values()), models, methods, terms)]
    rng = np.random.default_rng(seed)
    rows = [
        {**dict(zip(grid, point, strict=True)), "model": m, "method": by, "key": term}
        for point, m, by, term in keys
    ]
    frame = pd.DataFrame(rows).assign(
        estimate=rng.uniform(0.5, 1, len(keys)), mcse=rng.uniform(0.01, 0.02, len(keys)), n=500
    )
    frame["true"] = np.where(frame["key"] == "x", 0.0, 1.0)
    # The study's order of levels that are texts is that of the rows.
    order = rng.permutation(len(frame))
    first = frame.drop_duplicates("shape").index if "shape" in grid else frame.index[:1]
    return pd.concat([frame.loc[first], frame.iloc[order].drop(index=first)])


def levels_of(column):
    """Return numbers by size, texts as they come."""
    found = list(dict.fromkeys(column))
    return found if isinstance(found[0], str) else sorted(found)


def ends_of(look, value, error):
    """Return what bars reach to."""
    return share_limits(value, 500) if look.shares else (value - Z * error, value + Z * error)


def nested_order(frame, names):
    """Return the scenarios by brute force: sorted by the place of each factor's level in turn."""
    own = {name: levels_of(frame[name]) for name in names}
    points = set(frame[[*names]].itertuples(index=False, name=None))
    return [p for p in product(*own.values()) if p in points], own


def of_series(frame, model, method, names, points):
    """Return estimate and error of a series at each scenario, NaN where there is none."""
    own = frame[(frame["model"] == model) & (frame["method"] == method)]
    found = {
        tuple(row[n] for n in names): (row["estimate"], row["mcse"]) for _, row in own.iterrows()
    }
    return np.array([found.get(point, (np.nan, np.nan)) for point in points])


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


@pytest.mark.parametrize("partial", [False, True])
def test_a_nested_loop_has_every_scenario_in_order(partial):
    frame = made()
    if partial:
        frame = frame[(frame["units"] != 30) | (frame["cor"] == 0.5)]
        frame = frame[(frame["model"] == "one") | (frame["rows"] == 5)]
    names = ("rows", "cor", "shape", "units")  # the study's, that of the axis innermost
    points, own = nested_order(frame, names)
    figure = nested_loop(frame, VALUE, row="key", order=None)
    *panels, below = figure.axes
    assert len(panels) == 2
    for ax, term in zip(panels, dict.fromkeys(frame["key"]), strict=True):
        for model, method in product(("one", "two"), ("reml", "ml")):
            wanted = of_series(frame[frame["key"] == term], model, method, names, points)
            drawn = line_of(ax, f"{model}, {method}")
            assert np.array_equal(drawn.get_ydata()[::2], wanted[:, 0], equal_nan=True)
            assert np.array_equal(drawn.get_ydata()[1::2], wanted[:, 0], equal_nan=True)
            assert np.array_equal(drawn.get_xdata()[::2], np.arange(len(points)) - 0.5)
            assert np.array_equal(drawn.get_xdata()[1::2], np.arange(len(points)) + 0.5)
            marked = line_of(ax, f"marks of {model}, {method}")
            at = np.asarray(marked.get_xdata())
            assert np.array_equal(marked.get_ydata(), wanted[at, 0])
    for lane, name in enumerate(names):
        heights = np.asarray(line_of(below, name).get_ydata())[::2]
        places = [own[name].index(point[lane]) for point in points]
        rise = np.array(places) * np.ptp(heights) / max(places)
        assert np.allclose(heights - heights.min(), rise)
        assert -lane - 1 < heights.min() < heights.max() < -lane
    said = [text.get_text() for text in below.texts]
    assert said[:2] == ["Rows per unit: 5, 15", "Correlation: 0, 0.5, 0.9"]
    assert not overlaps(figure)


def test_bands_of_a_nested_loop_are_errors_or_limits_of_shares():
    frame = made(terms=("x",), grid={"units": (10, 30), "rows": (5, 15)})
    points = nested_order(frame, ("rows", "units"))[0]
    for look in (VALUE, SHARE):
        (ax, _) = nested_loop(frame, look).axes
        for model, method in product(("one", "two"), ("reml", "ml")):
            value, error = of_series(frame, model, method, ("rows", "units"), points).T
            low, high = ends_of(look, value, error)
            (band,) = [c for c in ax.collections if c.get_label() == f"band of {model}, {method}"]
            corners = {tuple(np.round(corner, 9)) for corner in band.get_paths()[0].vertices}
            for k in range(len(points)):
                for x, y in product((k - 0.5, k + 0.5), (low[k], high[k])):
                    assert (round(x, 9), round(y, 9)) in corners
            assert ax.get_ylim()[0] < low.min()
            assert ax.get_ylim()[1] > high.max()
    assert legend_texts(nested_loop(frame, SHARE))[0] == "Model and method; bands: 95% limits"


def test_the_order_of_factors_can_be_chosen():
    frame = made(terms=("x",))
    ax, below = nested_loop(frame, VALUE, order=["units", "shape"]).axes
    assert [line.get_label() for line in below.lines] == ["units", "shape", "rows", "cor"]
    names = ("units", "shape", "rows", "cor")
    wanted = of_series(frame, "two", "ml", names, nested_order(frame, names)[0])[:, 0]
    assert np.array_equal(line_of(ax, "two, ml").get_ydata()[::2], wanted)
    _, below = nested_loop(frame, VALUE, order=["shape"], inner="rows").axes
    assert [line.get_label() for line in below.lines] == ["shape", "cor", "units", "rows"]
    panel = heat(frame, VALUE, at={"shape": "t"}, inner="cor").axes[2]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "0.5", "0.9"]
    with pytest.raises(InputError, match="no factor 'unit'") as caught:
        nested_loop(frame, VALUE, order=["unit"])
    assert caught.value.suggestion == "units"


def test_lines_of_a_level_are_where_they_hold():
    """A test of a false hypothesis has no level to keep: the line is over true ones alone."""
    frame = made(terms=("x",), grid={"units": (10, 30), "effect": (0.0, 0.5)})
    frame = frame.assign(true=frame["effect"])
    look = Look("Rejection", reference=lambda own: [0.05] if (own["true"] == 0).any() else [])
    ax, _ = nested_loop(frame, look).axes
    points = nested_order(frame, ("effect", "units"))[0]
    drawn = np.asarray(line_of(ax, "compared").get_ydata())[::2]
    assert np.array_equal(~np.isnan(drawn), [effect == 0 for effect, _ in points])


def test_thousands_of_scenarios_are_all_drawn():
    grid = {"units": range(10, 110), "rows": range(5, 25)}
    frame = made(grid, terms=("x",), models=("one",), methods=("ml",))
    ax, _ = nested_loop(frame, VALUE).axes
    drawn = np.asarray(line_of(ax, "one, ml").get_ydata())[::2]
    assert np.array_equal(drawn, frame.sort_values(["rows", "units"])["estimate"])
    assert len(line_of(ax, "marks of one, ml").get_xdata()) < 30


def test_held_levels_and_levels_that_are_not_there():
    frame = made(terms=("x",))
    _, below = nested_loop(frame, VALUE, at={"units": 30, "rows": 5}).axes
    assert {line.get_label() for line in below.lines} == {"cor", "shape"}
    for draw in (nested_loop, heat):
        said = texts(draw(frame, VALUE, at={"units": 30, "rows": 5}))
        assert "Shown for 30 units, 5 rows per unit." in said
    for draw in (nested_loop, lollipop, heat):
        with pytest.raises(InputError, match="no point of the grid has 31 units"):
            draw(frame, VALUE, at={"units": 31})


def test_a_loop_of_measures_names_each():
    frame = made(terms=("x",))
    rows = [LoopRow(frame, VALUE, "x"), LoopRow(frame, SHARE, "x")]
    figure = loops(rows)
    assert [ax.get_ylabel() for ax in figure.axes[:2]] == ["Bias", "Coverage"]
    assert "nominal" in legend_texts(figure)
    of_power = replace(SHARE, reference=lambda _: [0.8], reference_label="power of 80%")
    several = loops([*rows, LoopRow(frame, of_power, "x")])
    assert "compared with" in legend_texts(several)
    assert "Grey lines: nominal and power of 80%." in texts(several)
    assert not overlaps(figure)
    assert figure.axes[1].get_ylim()[1] <= 1.04
    own = frame.assign(fitted="m", model="by " + frame["model"])
    panels = loops([rows[0], LoopRow(own, SHARE, "x")]).axes
    assert [line.get_label() for line in panels[2].lines] == ["rows", "cor", "shape", "units"]
    assert line_of(panels[1], "by one, ml")


@pytest.mark.parametrize("grid", [{}, {"units": (10, 30)}, {"shape": ("t", "normal")}])
def test_small_grids_are_drawn(grid):
    frame = made(grid, terms=("x",))
    for draw in (nested_loop, lollipop, heat):
        figure = draw(frame, VALUE)
        assert not overlaps(figure)


def test_several_values_of_one_series_are_a_mistake():
    frame = made()
    for draw in (nested_loop, heat):
        with pytest.raises(InputError, match="several values"):
            draw(frame, VALUE)


@pytest.mark.parametrize("look", [VALUE, SHARE])
def test_a_lollipop_stands_on_what_it_is_compared_with(look):
    frame = made({"units": (10, 30, 100), "rows": (5, 15)}, terms=("x",))
    figure = lollipop(frame, look)
    start = look.reference(frame)[0]
    assert [ax.get_title() for ax in figure.axes] == ["5 rows per unit", "15 rows per unit"]
    for ax, rows in zip(figure.axes, (5, 15), strict=True):
        for place, (model, method) in enumerate(product(("one", "two"), ("reml", "ml"))):
            name = f"{model}, {method}"
            own = frame[(frame["model"] == model) & (frame["method"] == method)]
            own = own[own["rows"] == rows].set_index("units").loc[[10, 30, 100]]
            x, y = line_of(ax, name).get_data()
            down = np.argsort(y)
            assert np.array_equal(np.asarray(x)[down], own["estimate"])
            assert np.array_equal(np.asarray(y)[down], place + 5 * np.arange(3))
            value, error = own["estimate"].to_numpy(), own["mcse"].to_numpy()
            ends = ends_of(look, value, error)
            for side, end in zip("[]", ends, strict=True):
                bracket = np.asarray(line_of(ax, f"{side} of {name}").get_xdata())
                assert np.allclose(bracket[down], end)
            (stems,) = [c for c in ax.collections if c.get_label() == f"stems of {name}"]
            segments = np.array(stems.get_segments())
            assert (segments[:, 0, 0] == start).all()
            assert np.array_equal(segments[:, 1, 0], x)
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first level at the top
    assert not overlaps(figure)


def test_nominal_levels_have_the_band_of_chance():
    """1.96 Monte Carlo standard errors of a share of that size, of each scenario's replicates."""
    frame = made({"units": (10, 30), "rows": (5, 15)}, terms=("x",))
    frame["n"] = np.where(frame["units"] == 10, 400, 900)
    look = replace(SHARE, band=True)
    ax, _ = nested_loop(frame, look).axes
    (band,) = [c for c in ax.collections if c.get_label() == "chance"]
    corners = {tuple(np.round(corner, 9)) for corner in band.get_paths()[0].vertices}
    for k, n in enumerate((400, 900, 400, 900)):
        half = Z * np.sqrt(0.95 * 0.05 / n)
        assert (k, round(0.95 - half, 9)) not in corners
        for x, y in product((k - 0.5, k + 0.5), (0.95 - half, 0.95 + half)):
            assert (round(x, 9), round(y, 9)) in corners
    (first, _) = lollipop(frame, look).axes
    (span,) = [patch for patch in first.patches if patch.get_label() == "band"]
    half = Z * np.sqrt(0.95 * 0.05 / 400)
    assert (span.get_x(), span.get_width()) == pytest.approx((0.95 - half, 2 * half))


def test_pages_of_lollipops_have_every_scenario():
    grid = {"units": (10, 30), "rows": (5, 15), "cor": (0.0, 0.9), "skew": (0, 1)}
    frame = made(grid, terms=("x", "z"), models=("one",), methods=("ml",))
    drawn = []
    pages = arrange(frame, row="key").pages
    assert pages > 1
    for page in range(1, pages + 1):
        for ax in lollipop(frame, VALUE, row="key", page=page).axes:
            drawn += list(line_of(ax, "one, ml").get_xdata())
    assert sorted(drawn) == sorted(frame["estimate"])


def test_a_heat_map_has_every_scenario_and_its_number():
    frame = made(terms=("x",)).assign(mcse=0.004)
    figure = heat(frame, SHARE, at={"shape": "t"})
    own = frame[frame["shape"] == "t"]
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert [ax.get_title() for ax in panels] == ["one", "two", "", ""]
    points = nested_order(own, ("rows", "cor"))[0]
    for ax, (method, model) in zip(panels, product(("reml", "ml"), ("one", "two")), strict=True):
        shown = ax.collections[0].get_array().reshape(len(points), 3)
        labels = [tick.get_text() for tick in ax.get_yticklabels()]
        if model == "one":
            assert labels == [f"{rows}, {cor:g}" for rows, cor in points]
        texts_of = iter(ax.texts)
        for (y, (rows, cor)), (x, units) in product(enumerate(points), enumerate((10, 30, 100))):
            cell = own[(own["rows"] == rows) & (own["cor"] == cor) & (own["units"] == units)]
            cell = cell[(cell["model"] == model) & (cell["method"] == method)]
            (value,) = cell["estimate"]
            assert shown[y, x] == pytest.approx(value - 0.95)
            text = next(texts_of)
            assert text.get_text() == f"{value:.3f}"  # the error is 0.004
            assert text.get_position() == (x, y)
    assert not overlaps(figure)


def test_colours_of_a_heat_map_part_at_the_value_and_cells_without_numbers_are_hatched():
    grid = {"units": tuple(range(10, 40)), "rows": (5, 15)}
    frame = made(grid, terms=("x",), methods=("ml",))
    frame["estimate"] = np.where(frame["units"] < 20, 0.93, 0.97)
    figure = heat(frame, SHARE)
    panel = figure.axes[0]
    assert not panel.texts
    assert {int(patch.get_x() + 0.5) for patch in panel.patches} == set(range(10))
    assert len(panel.patches) == 20
    assert any("Hatched" in text for text in texts(figure))
    mesh = panel.collections[0]
    low, high = (to_rgba(mesh.cmap(mesh.norm(value))) for value in (-0.02, 0.02))
    assert low[0] > low[2]  # orange below
    assert high[2] > high[0]  # purple above


def test_a_heat_map_with_too_many_cells_says_so():
    frame = made({"units": (10, 30), "rows": tuple(range(50))}, terms=("x",))
    with pytest.raises(InputError, match="100 rows of cells"):
        heat(frame, VALUE)


def test_one_factor_has_models_in_rows_of_cells():
    frame = made({"units": (10, 30)}, terms=("x",)).assign(mcse=0.01)
    panel = heat(frame, Look("Size", percent=True)).axes[0]
    labels = [tick.get_text() for tick in panel.get_yticklabels()]
    assert labels == ["one, REML", "one, ML", "two, REML", "two, ML"]
    first = frame[(frame["model"] == "one") & (frame["method"] == "ml") & (frame["units"] == 30)]
    assert panel.texts[3].get_text() == f"{100 * first['estimate'].item():.0f}"
