"""Files of results: whole or not at all, exact, typed, and clear about damage."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hlm.disk import replacing
from hlm.errors import InputError
from hlm.results import (
    ACCOUNTING,
    DIFFERENCES,
    ESTIMATES,
    FITS,
    MEASURES,
    SCENARIOS,
    SELECTION,
    read,
    read_frame,
    to_table,
    with_grid,
    write,
    write_csv,
    writing,
)

N = 1000


def columns(schema, seed=1):
    rng = np.random.default_rng(seed)
    makers = {
        pa.float64(): lambda: rng.normal(size=N) * 10.0 ** rng.integers(-300, 300, N),
        pa.int32(): lambda: np.arange(N, dtype=np.int32),
        pa.int64(): lambda: np.arange(N),
        pa.bool_(): lambda: rng.random(N) < 0.5,
    }
    names = np.array(["reml", "ml", "é"], dtype=object)
    return {
        field.name: makers.get(field.type, lambda: names[rng.integers(0, 3, N)])()
        for field in schema
    }


@pytest.mark.parametrize("schema", [ESTIMATES, FITS, MEASURES, SELECTION, SCENARIOS])
def test_values_and_types_survive_exactly(schema, tmp_path):
    values = columns(schema)
    for special in (np.nan, np.inf, -np.inf, -0.0, 5e-324):
        for name in schema.names:
            if schema.field(name).type == pa.float64():
                values[name][len(repr(special))] = special
    write(values, tmp_path / "t.parquet", schema, {"seed": "1"})
    table = read(tmp_path / "t.parquet", schema)
    assert table.schema.remove_metadata() == schema
    assert table.schema.metadata == {b"seed": b"1"}
    for name, column in values.items():
        if column.dtype == float:
            assert table[name].to_numpy().tobytes() == column.tobytes()
        else:
            assert table[name].to_pylist() == column.tolist()


AGREED = {
    "scenario replicate model method term inference estimate se df lower upper": ESTIMATES,
    "scenario replicate model method criterion loglik aic bic npar n_obs singular status "
    "iterations gradient_norm smallest_eigenvalue boundary_rank": FITS,
    "scenario units cor model method term kind true inference policy measure estimate mcse "
    "mcse_robust n": with_grid(MEASURES, [{"units": 1, "cor": 0.5}]),
    "scenario factor model method inference against term kind policy measure difference mcse n": (
        DIFFERENCES
    ),
    "scenario model method outcome count n": ACCOUNTING,
    "scenario units criterion method model rate mcse n": with_grid(SELECTION, [{"units": 1}]),
}


@pytest.mark.parametrize("names", AGREED)
def test_files_have_the_agreed_columns(names):
    assert AGREED[names].names == names.split()


def test_grid_columns_have_the_type_of_their_levels():
    levels = [
        {"n": 1, "r": 0, "b": True, "s": "t"},
        {"n": 2, "r": 0.5, "b": False, "s": "normal"},
    ]
    schema = with_grid(SCENARIOS, levels)
    found = [schema.field(name).type for name in "nrbs"]
    assert found == [pa.int64(), pa.float64(), pa.bool_(), pa.string()]


def test_a_study_without_a_grid_has_no_grid_columns():
    assert with_grid(SCENARIOS, [{}]) == SCENARIOS


def test_row_groups_are_what_was_appended_and_empty_ones_count(tmp_path):
    values = to_table(columns(FITS), FITS)
    with writing(tmp_path / "f.parquet", FITS) as file:
        for start, stop in ((0, 700), (700, 700), (700, N)):
            file.append(values.slice(start, stop - start))
    with pq.ParquetFile(tmp_path / "f.parquet") as file:
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [700, 0, 300]
    assert read(tmp_path / "f.parquet").equals(values)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "t.parquet"
    write(columns(FITS), path, FITS)
    before = path.read_bytes()
    with pytest.raises(KeyError, match="criterion"), writing(path, FITS) as file:
        file.append({name: values for name, values in columns(FITS).items() if name != "criterion"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a" / "t.txt"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "whole"


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write(columns(ESTIMATES), tmp_path / name, ESTIMATES, {"seed": "1"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_frames_keep_repeated_names_as_categories(tmp_path):
    write(columns(FITS), tmp_path / "f", FITS)
    frame = read_frame(tmp_path / "f", FITS)
    assert frame["model"].dtype == "category"
    assert len(frame) == N


def test_csv_keeps_all_digits(tmp_path):
    values = columns(SELECTION)
    values["rate"][3] = np.nan
    write_csv(values, tmp_path / "s.csv", SELECTION)
    rows = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == N + 1
    assert float(rows[5].split(",")[4]) == values["rate"][4]
    assert rows[4].split(",")[4] == ""


@pytest.mark.parametrize("damage", ["cut", "foreign", "flipped", "empty"])
def test_a_damaged_file_is_named(damage, tmp_path):
    path = tmp_path / "estimates.parquet"
    write(columns(ESTIMATES), path, ESTIMATES)
    whole = path.read_bytes()
    middle = len(whole) // 3
    path.write_bytes(
        {
            "cut": whole[:middle],
            "foreign": b"scenario,replicate\n1,2\n",
            "flipped": whole[:4] + bytes(200) + whole[204:],
            "empty": b"",
        }[damage]
    )
    with pytest.raises(InputError, match="not a Parquet file that can be read") as caught:
        read(path, ESTIMATES)
    assert str(path) in str(caught.value)


def test_a_file_of_something_else_is_refused(tmp_path):
    write(columns(SELECTION), tmp_path / "s.parquet", SELECTION)
    with pytest.raises(InputError, match="has no column 'replicate'"):
        read(tmp_path / "s.parquet", ESTIMATES)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.parquet")
