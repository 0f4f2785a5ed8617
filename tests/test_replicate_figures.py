"""Tests of the pictures of replicates: zip plots, standard errors, estimates, and the precision."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from hlm.errors import InputError
from hlm.figures.estimate_lanes import lane_of, ridges, spread_evenly, swarms
from hlm.figures.precision_figure import precision_reached
from hlm.figures.se_against_estimate import pairs_of, se_against_estimate
from hlm.figures.zip_plot import COVERS, LINES, MISSES, zip_plot, zipped
from hlm.measures import share_limits
from hlm.plan import Plan
from hlm.precision import Precision, Target
from hlm.results import ESTIMATES, files, read_frame, writing
from hlm.results.samples import Sample, corners, samples
from tests.results import make_results, summarize_results
from tests.test_figures import overlaps, texts

LEVELS = [{"units": u, "rows": r} for u in (10, 30, 100) for r in (5, 15)]
Z = 1.959963984540054


def sample(place=0, *, n=5000, model="m", method="reml", inference="wald", true=0.5, seed=1):
    """Return estimates of which some replicates have none, some no standard error or limits."""
    rng = np.random.default_rng([seed, place])
    b, se = rng.normal(0.5, 0.2, n), rng.uniform(0.1, 0.25, n)
    b[rng.random(n) < 0.02] = np.nan
    se[np.isnan(b) | (rng.random(n) < 0.03)] = np.nan
    upper = b + 1.7 * se
    upper[(rng.random(n) < 0.01) & np.isfinite(upper)] = np.inf
    replicate = np.arange(n)
    return Sample(place, model, method, inference, true, 0.9, replicate, b, se, b - 2.2 * se, upper)


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def panels(figure):
    return [ax for ax in figure.axes if ax.axison]


def test_corners_of_a_grid():
    def is_corner(point, grid):
        return all(level in (own[0], own[-1]) for level, own in zip(point, grid, strict=True))

    grid = [(10, 30, 100), (5, 15, 20), ("t", "normal")]
    points = list(product(*grid))
    levels = [dict(zip(("units", "rows", "shape"), point, strict=True)) for point in points]
    wanted = [k for k, point in enumerate(points) if is_corner(point, grid)]
    assert corners(levels, 8) == wanted
    six = corners(levels)
    assert len(six) == 6
    assert set(six) < set(wanted)
    assert {six[0], six[-1]} == {wanted[0], wanted[-1]}
    shuffled = levels[::-1]
    assert {tuple(shuffled[k].values()) for k in corners(shuffled, 8)} == {
        points[k] for k in wanted
    }


def test_a_part_of_a_grid_has_the_points_nearest_to_its_corners():
    levels = [{"a": a, "b": b} for a, b in ((1, 2), (2, 1), (2, 2), (2, 3), (3, 2))]
    assert corners(levels) == [0, 1, 3, 4]


def written(folder, group):
    """Write estimates of three scenarios, rows in row groups of so many; return them as a frame."""
    rng = np.random.default_rng(5)
    keys = product(
        ("k0", "k1", "k2"), range(40), ("m", "w"), ("reml", "ml"), ("x", "z"), ("i", "j")
    )
    names = ["scenario", "replicate", "model", "method", "term", "inference"]
    frame = pd.DataFrame(keys, columns=names)
    frame = frame[(frame["model"] == "m") | (frame["inference"] == "i")]
    for name in ("estimate", "se", "df", "lower", "upper"):
        frame[name] = rng.normal(size=len(frame))
    with writing(folder / "estimates.parquet", ESTIMATES) as file:
        for first in range(0, len(frame), group):
            part = frame.iloc[first : first + group]
            file.append({name: part[name].to_numpy() for name in frame})
    rows = [(k, m, t) for k in ("k0", "k1", "k2") for m in ("m", "w") for t in ("x", "z")]
    measures = pd.DataFrame(rows, columns=["scenario", "model", "term"])
    measures["kind"] = "coefficient"
    measures["true"] = np.where(measures["model"] == "m", np.arange(len(rows)), np.nan)
    measures.to_parquet(folder / "measures.parquet")
    return frame, measures


def planned():
    models = [SimpleNamespace(name=name, level=0.9) for name in ("w", "m")]
    scenarios = [SimpleNamespace(key=key) for key in ("k2", "k0", "k1")]
    levels = [{"units": u} for u in (10, 20, 30)]
    return SimpleNamespace(models=models, scenarios=scenarios, levels=levels)


@pytest.mark.parametrize("group", [10_000, 97])
def test_samples_are_the_rows_of_their_scenario(tmp_path, group):
    frame, measures = written(tmp_path, group)
    found = list(samples(planned(), tmp_path, "z", scenarios=[2, 0]))
    order = [(one.scenario, one.model, one.method, one.inference) for one in found]
    series = [("w", "reml", "i"), ("w", "ml", "i")]
    series += [("m", "reml", "i"), ("m", "reml", "j"), ("m", "ml", "i"), ("m", "ml", "j")]
    assert order == [(place, *one) for place in (2, 0) for one in series]
    for one in found:
        key = {2: "k1", 0: "k2"}[one.scenario]
        own = frame[(frame["scenario"] == key) & (frame["model"] == one.model)]
        own = own[(own["method"] == one.method) & (own["inference"] == one.inference)]
        own = own[own["term"] == "z"].sort_values("replicate")
        for name in ("replicate", "estimate", "se", "lower", "upper"):
            assert np.array_equal(getattr(one, name), own[name])
        true = measures[(measures["scenario"] == key) & (measures["model"] == one.model)]
        true = true[true["term"] == "z"]["true"].item()
        assert one.true == true or (np.isnan(one.true) and np.isnan(true))
        assert one.level == 0.9
    alone = samples(planned(), tmp_path, "z", methods=["ml"], models=["m"], one_inference=True)
    assert [(one.scenario, one.inference) for one in alone] == [(0, "i"), (2, "i")]


def test_other_row_groups_are_not_read(tmp_path, monkeypatch):
    written(tmp_path, 97)
    read, opened = [], files.open_parquet

    def spy(path):
        file = opened(path)

        class Spied:
            num_row_groups, metadata, schema_arrow = (
                file.num_row_groups,
                file.metadata,
                file.schema_arrow,
            )

            def read_row_group(self, group, columns):
                read.append(group)
                return file.read_row_group(group, columns=columns)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

        return Spied()

    monkeypatch.setattr("hlm.results.samples.open_parquet", spy)
    list(samples(planned(), tmp_path, "x", scenarios=[1]))  # k0, a third of the rows
    assert max(read) <= 480 // 97


def test_a_term_that_is_not_there(tmp_path):
    written(tmp_path, 1000)
    with pytest.raises(InputError, match="unknown term 'Z'") as caught:
        list(samples(planned(), tmp_path, "Z"))
    assert caught.value.allowed == "x, z"


def test_a_zip_plot_has_intervals_in_the_order_of_their_distance():
    one = sample()
    found = zipped(one)
    known = np.isfinite(one.lower) & ~np.isnan(one.upper)
    b, low, high = one.estimate[known], one.lower[known], one.upper[known]
    side = np.where(one.true >= b, high - b, b - low)
    far = np.abs(one.true - b) / side
    covers = (low <= one.true) & (one.true <= high)
    assert (found.n, found.n_total, len(found.centile)) == (known.sum(), 5000, LINES)
    assert found.coverage == covers.mean()
    order = np.argsort(far, kind="stable")
    at = ((np.arange(LINES) + 0.5) * len(order) / LINES).astype(int)
    assert np.array_equal(found.lower, low[order][at])
    assert np.array_equal(found.upper, high[order][at])
    assert np.allclose(np.diff(found.centile), 100 / LINES)
    assert (np.diff(found.covers.astype(int)) <= 0).all()
    assert abs(found.covers.mean() - covers.mean()) < 1 / LINES


def test_a_panel_of_a_zip_plot():
    of = [sample(place, method=method) for place in (0, 5) for method in ("reml", "ml")]
    figure = zip_plot(iter(of), LEVELS, words="x")
    assert len(panels(figure)) == 4
    for ax, one in zip(panels(figure), of, strict=True):
        found = zipped(one)
        ends = ax.get_xlim()
        for name, colour, hit in (("covers", COVERS, True), ("misses", MISSES, False)):
            (lines,) = [c for c in ax.collections if c.get_label() == name]
            assert isinstance(lines, LineCollection)
            assert to_hex(lines.get_colors()[0]).upper() == colour.upper()
            drawn = np.array(lines.get_segments())
            its = found.covers == hit
            assert np.array_equal(drawn[:, 0, 0], np.clip(found.lower[its], *ends))
            assert np.array_equal(drawn[:, 1, 0], np.clip(found.upper[its], *ends))
            assert np.array_equal(drawn[:, 0, 1], found.centile[its])
        assert line_of(ax, "level").get_ydata()[0] == 90
        assert line_of(ax, "true").get_xdata()[0] == one.true
        (band,) = [patch for patch in ax.patches if patch.get_label() == "limits"]
        low, high = share_limits(found.coverage, found.n)
        assert band.get_y() == pytest.approx(100 * low)
        assert band.get_height() == pytest.approx(100 * (high - low))
        assert f"{100 * found.coverage:.1f}%" in [text.get_text() for text in ax.texts]
    said = " ".join(texts(figure))
    assert "2 of 6 scenarios; hlm plot and the explorer have the others." in said
    assert "at even places of their order" in said
    assert not overlaps(figure)


def test_a_zip_plot_says_what_it_cannot_show():
    of = [sample(model="m"), sample(model="w", true=np.nan)]
    said = " ".join(texts(zip_plot(of, LEVELS, words="x")))
    assert "No true value, so no coverage: model w." in said
    alone = texts(zip_plot(of[1:], LEVELS, words="x"))
    assert "No intervals of x" in " ".join(alone)


def test_standard_errors_against_estimates():
    of = [sample(place, model=model) for place in (0, 5) for model in ("m", "w")]
    figure = se_against_estimate(iter(of), LEVELS, words="x")
    for ax, one in zip(panels(figure), of, strict=True):
        b, s = one.estimate, one.se
        assert line_of(ax, "empirical").get_ydata()[0] == pytest.approx(np.nanstd(b, ddof=1))
        assert line_of(ax, "model").get_ydata()[0] == pytest.approx(np.sqrt(np.nanmean(s**2)))
        assert line_of(ax, "true").get_xdata()[0] == 0.5
        x, y = line_of(ax, "replicates").get_data()
        kept = [k for k in range(0, 5000, 5) if np.isfinite(b[k] + s[k])]
        assert np.array_equal(x, b[kept])
        assert np.array_equal(y, s[kept])
        assert line_of(ax, "replicates").get_rasterized()
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "one replicate in 5; lines are of all." in said
    assert not overlaps(figure)


def test_dots_do_not_depend_on_how_many_replicates_lack_estimates():
    one = sample()
    assert pairs_of(one, most=50).every == 100
    few = sample(n=30)
    assert pairs_of(few).every == 1


@pytest.mark.parametrize("draw", [ridges, swarms])
def test_lanes_have_means_and_true_values(draw):
    of = [sample(place, method=method) for place in (0, 1, 5) for method in ("reml", "ml")]
    figure = draw(iter(of), LEVELS, words="x")
    assert len(panels(figure)) == 3
    for k, ax in enumerate(panels(figure)):
        if k % 2 == 0:
            assert [tick.get_text() for tick in ax.get_yticklabels()] == ["m, REML", "m, ML"]
        for lane, one in enumerate(of[2 * k : 2 * k + 2]):
            b = one.estimate[np.isfinite(one.estimate)]
            name = f"m, {one.method}"
            (bar,) = [c for c in ax.containers if c.get_label() == f"mean of {name}"]
            point, _, (half,) = bar
            assert point.get_xdata()[0] == pytest.approx(b.mean())
            assert point.get_ydata()[0] == -lane
            low, high = half.get_segments()[0][:, 0]
            assert high - low == pytest.approx(2 * Z * b.std(ddof=1) / np.sqrt(len(b)))
            if draw is ridges:
                (outline,) = [p for p in ax.patches if p.get_label() == name]
                top, edges, base = outline.get_data()
                counts = np.histogram(b, edges)[0]
                assert np.allclose((top - base) / (top - base).max(), counts / counts.max())
                assert counts.sum() >= 0.998 * len(b) - 1
            else:
                x, y = line_of(ax, name).get_data()
                kept = one.estimate[::17]
                assert np.array_equal(x, kept[np.isfinite(kept)])
                assert (np.abs(np.asarray(y) + lane) <= 0.4).all()
        assert line_of(ax, "true").get_xdata()[0] == 0.5
    assert not overlaps(figure)


def test_a_boundary_is_seen_in_a_ridge():
    one = sample(n=2000)
    clipped = Sample(**{**vars(one), "estimate": np.maximum(one.estimate, 0.4)})
    lane = lane_of(clipped)
    assert lane.edges[0] < 0.4 < lane.edges[1]
    at = np.count_nonzero(clipped.estimate == 0.4)
    assert at <= lane.counts[0] == lane.counts.max()
    constant = lane_of(Sample(**{**vars(one), "estimate": np.full(2000, 0.4)}))
    assert constant.counts.sum() == 2000


def test_the_same_dots_every_time():
    assert len(set(spread_evenly(1000))) == 1000
    assert np.abs(np.sort(spread_evenly(1023)) - (np.arange(1, 1024) / 1024 - 0.5)).max() == 0


def test_the_precision_that_is_asked_for():
    rng = np.random.default_rng(2)
    rows = [
        {"scenario": f"s{u}{c}", "units": u, "cor": c, "model": m, "method": "ml", "term": t,
         "kind": "coefficient", "measure": name, "policy": p, "inference": i}
        for u, c, m, t, name, p, i in product(
            (10, 30), (0.0, 0.9), ("m", "w"), ("x", "z"), ("coverage", "bias"), ("all", "ok"), "ij")
    ]  # fmt: skip
    frame = pd.DataFrame(rows).assign(n=400)
    frame["estimate"] = rng.uniform(0.85, 1, len(frame))
    frame.loc[3, "estimate"] = 1.0
    frame["mcse"] = np.sqrt(frame["estimate"] * (1 - frame["estimate"]) / 400)
    frame["mcse"] = frame["mcse"].where(
        frame["measure"] == "coverage", rng.uniform(0, 1, len(frame))
    )
    rule = Precision((Target("coverage", "x", 0.015), Target("bias", None, 0.9)), 100, 1000)
    points = [(u, c) for c in (0.0, 0.9) for u in (10, 30)]
    numbers = {f"s{u}{c}": 400 + u for u, c in points}
    reached = {"s100.0": True, "s300.0": False, "s100.9": True}
    figure = precision_reached(frame, rule, numbers=numbers, reached=reached)
    first = frame[frame["policy"] == "all"]
    for ax, (measure, terms) in zip(figure.axes, (("coverage", "x"), ("bias", "xz")), strict=False):
        wanted = []
        for units, cor in points:
            own = first[(first["units"] == units) & (first["cor"] == cor)]
            own = own[(own["measure"] == measure) & own["term"].isin(list(terms))]
            p = (400 * own["estimate"] + 2) / 404
            share = np.fmax(own["mcse"], np.sqrt(p * (1 - p) / 400))
            wanted.append((share if measure == "coverage" else own["mcse"]).max())
        assert np.allclose(line_of(ax, "values").get_ydata()[::2], wanted)
    asked = [[line.get_ydata()[0] for line in ax.lines if line.get_label() == "asked"]
             for ax in figure.axes[:3]]  # fmt: skip
    assert asked == [[0.015], [0.9], [100, 1000]]
    last = figure.axes[2]
    assert np.array_equal(line_of(last, "values").get_ydata()[::2], [410, 430, 410, 430])
    assert np.array_equal(line_of(last, "missed").get_xdata(), [1])
    said = " ".join(texts(figure))
    assert "1 of 4 scenarios do not have the precision with 1,000 replicates" in said
    assert "1 scenario may still have more replicates." in said
    assert not overlaps(figure)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = make_results(tmp_path_factory.mktemp("figures"))
    summarize_results(Plan.read(folder / "plan.json"), folder)
    return folder


def test_pictures_of_real_results_agree_with_the_measures(results):
    """From the file of estimates to what is drawn: as `measures.parquet` has it, made elsewhere."""
    plan = Plan.read(results / "plan.json")
    measures = read_frame(results / "measures.parquet")
    everywhere = range(len(plan.scenarios))
    for term in ("x", "sd_x|unit"):
        for one in samples(plan, results, term, scenarios=everywhere):
            own = measures[measures["scenario"] == plan.scenarios[one.scenario].key]
            own = own[(own["model"] == one.model) & (own["method"] == one.method)]
            own = own[(own["term"] == term) & own["inference"].isin(["", one.inference])]
            said = dict(zip(own["measure"], own["estimate"], strict=True))
            errors = dict(zip(own["measure"], own["mcse"], strict=True))
            pairs, lane, zip_ = pairs_of(one), lane_of(one), zipped(one)
            assert pairs.empirical_se == pytest.approx(said["empirical_se"])
            assert pairs.model_se == pytest.approx(said["model_se"])
            assert lane.mean == pytest.approx(said["mean"])
            assert lane.mcse == pytest.approx(errors["mean"])
            assert zip_.coverage == pytest.approx(said["coverage"])
            assert lane.n_total == said["n_total"]
