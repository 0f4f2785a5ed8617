"""Delimited text is read as by R's read.csv, or refused with the cell."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm import InputError, lmer
from hlm.cli import main
from hlm.datasets import delimited
from hlm.datasets.table_files import read_table

TREATMENTS = Path(__file__).with_name("treatments.csv")
TEXT = TREATMENTS.read_text()
FORMULA = "y ~ x + tr + (1 | g)"

# fixef(lmer(y ~ x + tr + (1 | g), read.csv("treatments.csv"))) of lme4 1.1-31
FIXEF = [10.87291071429, 1.95780158730, 1.19695833333, -2.32083333333]


@pytest.fixture
def read(tmp_path):
    """Write a text to a file and read it as a table."""

    def write_and_read(text, name="t.csv"):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        return read_table(str(tmp_path / name))

    return write_and_read


def of_treatments(frame):
    fit = lmer(FORMULA, frame)
    assert fit.coef_names == ("(Intercept)", "x", "trLow", "trNone")
    assert (fit.nobs, fit.n_groups) == (72, 12)
    assert fit.beta == pytest.approx(FIXEF, rel=1e-6)


ROWS = TEXT.splitlines()
COMMAS = "\n".join(row.replace(",", ";").replace(".", ",") for row in ROWS)
FORMS = {
    "as it is": TEXT,
    "semicolons": TEXT.replace(",", ";"),
    "semicolons, decimal commas, as by write.csv2": COMMAS,
    "the same with a mark of byte order and Windows' ends of lines": "\ufeff"
    + COMMAS.replace("\n", "\r\n"),
    "tabs": TEXT.replace(",", "\t"),
    "tabs, decimal commas": COMMAS.replace(";", "\t"),
    "bars": TEXT.replace(",", "|"),
    "blanks, as by write.table": TEXT.replace(",", " "),
    "ends of lines of old": TEXT.replace("\n", "\r"),
    "row names, as by write.csv": "\n".join(f'"{k or ""}",{row}' for k, row in enumerate(ROWS)),
    "row names, as by write.table(sep = ',')": "\n".join(
        [ROWS[0], *(f'"{k}",{row}' for k, row in enumerate(ROWS[1:], start=1))]
    ),
    "row names and blanks": "\n".join(
        [
            ROWS[0].replace(",", " "),
            *(f'"{k}" {r.replace(",", " ")}' for k, r in enumerate(ROWS[1:])),
        ]
    ),
    "rows that end in a comma": "\n".join([ROWS[0], *(row + "," for row in ROWS[1:])]),
    "all lines end in a comma": "\n".join(row + "," for row in ROWS),
    "some rows end in a comma": "\n".join([*ROWS[:9], *(row + "," for row in ROWS[9:])]),
    "quotes": "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in ROWS),
    "blanks around names and numbers": TEXT.replace("y,x,g,tr", "y, x ,g , tr").replace(
        "0,s", "0 ,s"
    ),
    "empty lines": "\n\n" + TEXT.replace("\n", "\n\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_table_in_many_forms(form, read):
    of_treatments(read(FORMS[form]))


def test_compressed(read, tmp_path):
    content = TEXT.encode()
    of_treatments(read(gzip.compress(content), "t.csv.gz"))
    of_treatments(read(bz2.compress(content), "t.csv.bz2"))
    of_treatments(read(lzma.compress(content), "t.csv.xz"))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", TEXT)
    of_treatments(read_table(str(tmp_path / "t.zip")))
    for ending in ("gz", "bz2", "xz", "zip"):
        with pytest.raises(InputError, match="not a table that can be read"):
            read(content, f"bad.{ending}")
        if ending != "zip":
            with pytest.raises(InputError, match="not a table that can be read"):
                read((tmp_path / f"t.csv.{ending}").read_bytes()[:60], f"cut.{ending}")


# Column -> what R's read.csv makes of it; an empty cell of text, which R keeps, is missing.
COLUMNS = [
    (["None", "NULL", "n/a", "nan", "NA", "N/A", "null", "#N/A"], ["NA"]),
    (["a", "", "b"], [""]),
    (["1.5", "", "NA", "2", "NaN"], ["", "NA", "NaN"]),
    (["TRUE", "NA", "FALSE"], ["NA"]),
]


@pytest.mark.parametrize(("cells", "missing"), COLUMNS)
def test_missing_is_only_what_is_missing_in_r(cells, missing, read):
    column = read("v,w\n" + "".join(f"{cell},1\n" for cell in cells))["v"]
    assert column.isna().tolist() == [cell in missing for cell in cells]
    if column.dropna().map(type).eq(str).all():
        assert column.dropna().tolist() == [cell for cell in cells if cell not in missing]


KINDS = [
    ("T", "F", [True, False]),
    ("TRUE", "FALSE", [True, False]),
    ("True", "False", ["True", "False"]),
    ("T", "M", ["T", "M"]),
    ("007", "010", [7, 10]),
    ("+1", "-2", [1, -2]),
    (" 1.5 ", "2", [1.5, 2.0]),
    ("1e5", "-inf", [1e5, -np.inf]),
    ("0.1", "4.35", [0.1, 4.35]),
    ("9007199254740993", "9007199254740992", [9007199254740993, 9007199254740992]),
    (
        "12345678901234567890",
        "12345678901234567891",
        ["12345678901234567890", "12345678901234567891"],
    ),
    (" a", "a", [" a", "a"]),
    ("1L", "2", ["1L", "2"]),
    ("NA", "", [None, None]),
]


@pytest.mark.parametrize(("first", "second", "values"), KINDS)
def test_the_kind_of_a_column(first, second, values, read):
    found = read(f"v,w\n{first},1\n{second},2\n")["v"].tolist()
    if values == [None, None]:
        assert np.isnan(found).all()
    else:
        assert found == values
        assert list(map(type, found)) == list(map(type, values))


def test_numbers_are_exact(read):
    values = np.random.default_rng(3).normal(size=500) * 10.0 ** np.arange(-250, 250)
    found = read("v,w\n" + "".join(f"{value!r},1\n" for value in values.tolist()))["v"]
    assert (found == values).all()


IDS = [9007199254740992 + k for k in range(6)]


def stack_of_ids():
    k = np.arange(60)
    return pd.DataFrame({"y": np.sin(k), "x": np.cos(3 * k), "id": np.repeat(IDS, 10)})


def six_and_a_gap(frame, nobs=59):
    fit = lmer("y ~ x + (1 | id)", frame)
    assert (fit.nobs, fit.n_groups) == (nobs, 6)
    assert list(fit.frame.unit_names) == IDS
    plain = lmer("y ~ x + (1 | id)", stack_of_ids().assign(id=np.repeat(range(6), 10))[-nobs:])
    assert fit.criterion == pytest.approx(plain.criterion, abs=1e-9)
    predicted = fit.predict(frame[-nobs:], new_units="error")
    assert predicted == pytest.approx(fit.fitted(), abs=1e-10)


def test_ids_of_64_bits_with_a_gap(read, tmp_path):
    data = stack_of_ids()
    six_and_a_gap(data, nobs=60)
    text = data.to_csv(index=False)
    six_and_a_gap(read(text.replace(f",{IDS[0]}", ",", 1)))
    six_and_a_gap(read(text.replace(f",{IDS[0]}", ",NA", 1)))
    gaps = data["id"].astype("Int64").where(data.index > 0)
    six_and_a_gap(data.assign(id=gaps))
    six_and_a_gap(data.assign(id=gaps.astype("int64[pyarrow]")))
    six_and_a_gap(data.assign(id=gaps.astype("UInt64")))
    six_and_a_gap(data.assign(id=gaps.astype(object)))
    listed = [None if pd.isna(v) else int(v) for v in gaps]
    assert lmer("y ~ x + (1 | id)", {**data[["y", "x"]], "id": listed}).n_groups == 6
    with_nan = [np.nan if v is None else v for v in listed]
    assert lmer("y ~ x + (1 | id)", {**data[["y", "x"]], "id": with_nan}).n_groups == 6
    data.assign(id=gaps).to_parquet(tmp_path / "t.parquet")
    six_and_a_gap(read_table(str(tmp_path / "t.parquet")))


def test_ids_that_went_through_floats_are_refused():
    lost = stack_of_ids()["id"].astype(float)
    with pytest.raises(InputError, match=r"(?s)neighbouring integers are one number.*Int64"):
        lmer("y ~ x + (1 | id)", stack_of_ids().assign(id=lost))


def test_units_that_15_digits_do_not_tell_apart_are_one():
    """As in R, which compares as.character(0.1 + 0.2), "0.3"."""
    k = np.arange(40)
    data = pd.DataFrame({"y": np.sin(k), "g": np.array([0.1 + 0.2, 0.3, 1.0, 2.0])[k % 4]})
    fit = lmer("y ~ 1 + (1 | g)", data)
    assert fit.frame.unit_names == (0.3, 1.0, 2.0)
    assert fit.predict(data, new_units="error") == pytest.approx(fit.fitted())


def test_decimals_of_parquet_are_numbers(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = stack_of_ids().round(2)
    table = pa.table(
        {
            "y": pa.array(data["y"].astype(str)).cast(pa.decimal128(10, 2)),
            "x": pa.array([*data["x"].astype(str)[:-1], None]).cast(pa.decimal256(50, 4)),
            "id": pa.array(data["id"]).cast(pa.decimal128(38, 0)),
            "long": pa.array(["9" * 30] * 60).cast(pa.decimal128(38, 0)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    frame = read_table(str(tmp_path / "t.parquet"))
    expected = lmer("y ~ x + (1 | id)", data[:-1])
    for found in (frame, table.to_pandas()):
        fit = lmer("y ~ x + (1 | id)", found)
        assert fit.beta == pytest.approx(expected.beta, rel=1e-12)
        assert fit.n_groups == 6
    assert frame["long"][0] == "9" * 30


def with_cell(column, value):
    """Return the table with another cell in row 6."""
    lines = [line.split(",") for line in ROWS]
    lines[6][ROWS[0].split(",").index(column)] = value
    return "\n".join(",".join(line) for line in lines)


BAD_CELLS = [
    ("x", ".", "column 'x', row 6: '.' is no number, unlike most cells of the column", "factor(x)"),
    ("x", "n/a", "column 'x', row 6: 'n/a' is no number", "NA or an empty cell"),
    ("y", ".", "column 'y', row 6: '.' is no number", "NA or an empty cell"),
    ("x", '"7,5"', "column 'x', row 6: '7,5' is no number", "numbers"),
]


@pytest.mark.parametrize(("column", "value", "words", "allowed"), BAD_CELLS)
def test_a_cell_that_is_no_number_is_shown(column, value, words, allowed, tmp_path, capsys):
    (tmp_path / "t.csv").write_text(with_cell(column, value))
    for formula in ("y ~ x + (1 | g)", "y ~ x + (1 + x | g)"):
        assert main(["fit", formula, str(tmp_path / "t.csv")]) == 2
        message = capsys.readouterr().err
        assert f"t.csv: {words}" in message
        assert allowed in message.splitlines()[1]


def test_bad_cells_are_counted_and_found_wherever_they_matter(read):
    data = read(with_cell("x", ".").replace(",6.0,", ",?,"))
    others = "12" if data["x"].eq("?").sum() == 12 else "11"
    with pytest.raises(InputError, match=rf"row 5: '\?' \(and {others} more cells\) is no number"):
        lmer("y ~ x + (1 | g)", data)
    with pytest.raises(InputError, match="column 'x', row 5"):
        lmer("y ~ log(x) + (1 | g)", data)
    with pytest.raises(InputError, match="column 'x', row 5"):
        lmer("y ~ 1 + offset(x) + (1 | g)", data)
    with pytest.raises(InputError, match="column 'weights', row 5"):
        lmer("y ~ 1 + (1 | g)", data, weights="x")
    with pytest.raises(InputError, match="column 'x', row 5"):
        lmer("log(x) ~ 1 + (1 | g)", data)
    assert len(lmer("y ~ factor(x) + (1 | g)", data).beta) == 7
    assert lmer("y ~ tr + (1 | x)", data).n_groups == 7
    fit = lmer("y ~ x + (1 | g)", read(TEXT))
    with pytest.raises(InputError, match="column 'x', row 5"):
        fit.predict(data)


def test_decimal_commas_within_a_table_of_commas_are_shown(read):
    lines = (row.split(",") for row in ROWS[1:])
    text = "\n".join([ROWS[0], *(f'"{y.replace(".", ",")}",{x},{g},{tr}' for y, x, g, tr in lines)])
    with pytest.raises(InputError, match=r"column 'y', row 1: '7,98' \(and [67]. more cells\)"):
        lmer("y ~ x + (1 | g)", read(text))


REFUSED = {
    "": "the file is empty",
    "y,x,g\n": r"no rows, only a line of names: y, x, g",
    "y,x,g\n\n\n": "no rows",
    "y,x,g\n1,2,a\n1,2,a,b\n": r"row 2: 4 cells under 3 names \(y, x, g\)",
    "y,x,g\n1,2,a,,b\n1,2,a\n": "row 1: 5 cells under 3 names",
    "y,x,g\n1,2,a\n1,2,a\n1,2,a,b,c\n": "row 3: 5 cells",
    "y,x,g\n1,1,2,a\n2,1,2\n": "row 2: 3 cells",
    "y;x;g\n1,5;2.5;a\n2,5;3.5;b\n": r"commas in column 'y' \(1,5\), points in column 'x' \(2.5\)",
    "y,x,g\n1,2,a,\n1,2,a,b\n1,2,a\n": "row 2: 4 cells",
    'y,x,g\n"1,2,a\n': "not a table that can be read",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_table_is_said(text, read):
    with pytest.raises(InputError, match=REFUSED[text]) as error:
        read(text)
    assert "t.csv" in str(error.value)
    assert error.value.allowed


def test_short_rows_end_in_missing_cells(read):
    """As read.csv, whose `fill` is TRUE; spreadsheets leave out what is empty at the end."""
    frame = read("y,x,g\n1,2,a\n3\n4,5,b\n")
    assert frame.isna().to_numpy().tolist() == [[False] * 3, [False, True, True], [False] * 3]


def test_columns_without_values_are_named(read):
    with pytest.raises(InputError, match=r"no rows are left of 72: .* \('tr' in 72\)"):
        lmer(FORMULA, read(TEXT.replace(",None", ",").replace(",Low", ",NA").replace(",High", ",")))
    with pytest.raises(InputError, match="the data have no rows"):
        lmer(FORMULA, read(TEXT).iloc[:0])
    data = read(TEXT)
    data = data.assign(y=data.y.where(data.index > 29), x=data.x.where(data.index < 30))
    with pytest.raises(InputError, match=r"'y' in 30, 'x' in 42"):
        lmer(FORMULA, data)


def test_a_column_that_is_there_twice_is_refused_where_it_is_used(read):
    frame = read(TEXT.replace("y,x,g,tr", "y,x,g,x"))
    assert lmer("y ~ 1 + (1 | g)", frame).nobs == 72
    with pytest.raises(InputError, match="the data have 2 columns 'x'"):
        lmer("y ~ x + (1 | g)", frame)


def test_a_covariate_named_sigma_at_the_terminal(tmp_path, capsys):
    (tmp_path / "t.csv").write_text(TEXT.replace("y,x,g,tr", "y,sigma,g,tr"))
    for method in ("wald", "profile"):
        options = ["--level", "0.95", "--limits", method]
        assert main(["fit", "y ~ sigma + (1 | g)", str(tmp_path / "t.csv"), *options]) == 0
        table = capsys.readouterr().out.splitlines()[-4:]
        assert [line.split()[0] for line in table] == [
            "(Intercept)",
            "sigma",
            "sd_(Intercept)|g",
            "sigma",
        ]
        slope, residual = (float(table[k].split()[1]) for k in (1, 3))
        assert slope == pytest.approx(1.9578, abs=1e-4)
        lower, upper = map(float, table[3].split()[-2:])
        assert lower < residual < upper < slope


CELLS = ["1", "-2", "+3", "007", "1.5", ".5", "1e5", "Inf", "nan", "NA", "", " 4 ", "TRUE", "F"]
OTHER_CELLS = ["low", "1,5", "0x1F", "nan(1)", "1-2", "+-1", "99999999999999999999", "é", " "]


@pytest.mark.parametrize("seed", range(20))
def test_the_quick_way_through_a_plain_table_reads_what_the_careful_one_does(
    seed, read, monkeypatch
):
    """Columns of several kinds, blank lines among the rows; some rows too short or too long."""
    rng = np.random.default_rng(seed)
    kinds = [CELLS[:4], CELLS[:11], CELLS[9:], CELLS + OTHER_CELLS, OTHER_CELLS]
    columns = [rng.choice(kind, 30) for kind in kinds]
    rows = [";".join(cells) for cells in zip(*columns, strict=True)]
    rows[seed % 7 : seed % 7] = ["", "  "][: seed % 3]
    if seed % 4 == 3:
        rows[5] += ";"
    text = "\n".join(["a;b;c;d;e", *rows])
    quick = read(text)
    monkeypatch.setattr(delimited, "_plain_cells", lambda *_: None)
    pd.testing.assert_frame_equal(quick, read(text))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["+1", "2"], [1, 2]),
        (["+1.5", "2"], [1.5, 2.0]),
        (["1", "1e3", "-Inf"], [1.0, 1000.0, -np.inf]),
        (["1", "nan(1)"], ["1", "nan(1)"]),
        (["1", "0x1F"], ["1", "0x1F"]),
        (["1", "+-1"], ["1", "+-1"]),
        (["1", "99999999999999999999"], ["1", "99999999999999999999"]),
        (["1.5", "99999999999999999999"], [1.5, 1e20]),
        ([*["1"] * 200, "low"], [*["1"] * 200, "low"]),
    ],
)
def test_a_column_is_what_all_of_its_cells_are(cells, expected, read):
    """As read.csv() of R; hexadecimal digits aside, which are text here."""
    column = read("x,y\n" + "".join(f"{cell},1\n" for cell in cells))["x"]
    assert column.tolist() == expected
    assert type(column.tolist()[0]) is type(expected[0])
