"""Files of figures: PDFs by the letters that they bring along, panels by their pixels."""

from __future__ import annotations

import re
import zlib
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.backends import _backend_pdf_ps as backend
from matplotlib.figure import Figure
from PIL import Image

from hlm.figures.empty_labels import settle_empty_labels
from hlm.figures.font_subsets import READ, outlines_only
from hlm.figures.saving import FORMATS, save
from hlm.figures.style import RC
from hlm.words.levels import MINUS

WORDS = f"Bias of äé {MINUS} 0.5 µ"  # with letters that are made of others


def picture():
    with mpl.rc_context(RC):
        figure = Figure(figsize=(2.0, 1.5))
        panels = figure.subplots(1, 2)
        panels[0].plot([0, 1], [0, 1], "o-", alpha=0.5)
        panels[0].set_title("A title")
        panels[1].set_xlabel(WORDS)
        return figure


def pixels(figure):
    """Return the pixels that Matplotlib itself writes."""
    held = BytesIO()
    with mpl.rc_context(RC):
        figure.savefig(held, format="png")
    return np.asarray(Image.open(held).convert("RGB"))


def fonts_of(file):
    """Return the fonts in a PDF."""
    streams = re.findall(rb"/Length1 (\d+).*?stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    found = [zlib.decompressobj().decompress(stream) for _, stream in streams]
    assert [len(font) for font in found] == [int(size) for size, _ in streams]
    return [TTFont(BytesIO(font)) for font in found]


def outline(font, name):
    pen = DecomposingRecordingPen(font.getGlyphSet())
    font.getGlyphSet()[name].draw(pen)
    return tuple(pen.value), font["hmtx"][name][0]


def pdf_of(figure):
    held = BytesIO()
    with mpl.rc_context(RC):
        figure.savefig(held, format="pdf", metadata=FORMATS["pdf"])
    return held.getvalue()


def test_a_pdf_has_the_outlines_of_its_letters_and_no_other_table_of_the_font():
    with outlines_only():
        content = pdf_of(picture())
    fonts = fonts_of(content)
    assert {table for font in fonts for table in font.keys()} == set(READ)  # noqa: SIM118
    whole = TTFont(font_manager.findfont("DejaVu Sans"))
    names = [whole.getBestCmap()[ord(letter)] for letter in {*WORDS, *"A title"} - {" "}]
    expected = {outline(whole, name) for name in names}
    found = {outline(font, name) for font in fonts for name in font.getGlyphOrder()}
    assert expected <= found
    assert len(found) < 2 * len(expected)


def test_only_the_fonts_of_a_pdf_are_others():
    """Where letters stand, and which they are to a reader who searches, is as without."""
    without = re.compile(
        rb"/(BaseFont|FontName) \S+|/Length\d? \d+|stream.*?endstream|"
        rb"\d{10} \d{5} n|startxref\n\d+|obj\n\d+\n",
        re.DOTALL,
    )
    with outlines_only():
        cut = pdf_of(picture())
    whole = pdf_of(picture())
    assert len(cut) < 0.9 * len(whole)
    assert without.sub(b"", cut) == without.sub(b"", whole)
    texts = [
        [
            zlib.decompress(one)
            for one in re.findall(rb"FlateDecode.*?stream\n(.*?)\nendstream", f, re.DOTALL)
        ]
        for f in (cut, whole)
    ]
    pages = [[one for one in found if b"BT" in one] for found in texts]
    assert pages[0] == pages[1] != []


def test_a_font_has_the_time_at_which_it_was_made():
    with outlines_only():
        fonts = fonts_of(pdf_of(picture()))
    whole = TTFont(font_manager.findfont("DejaVu Sans"))
    assert {font["head"].modified for font in fonts} == {whole["head"].modified}


@pytest.mark.parametrize("other", ["gone", "takes something else"])
def test_another_matplotlib_writes_pdfs_by_itself(other, monkeypatch):
    if other == "gone":
        monkeypatch.delattr(backend, "get_glyphs_subset")
    else:
        monkeypatch.setattr(
            backend, "get_glyphs_subset", lambda *, fontfile, characters: fontfile(characters)
        )
    before = getattr(backend, "get_glyphs_subset", None)
    with outlines_only():
        assert getattr(backend, "get_glyphs_subset", None) is before


def test_what_says_nothing_is_not_placed_and_nothing_else_moves():
    figure, settled = picture(), picture()
    settle_empty_labels(settled)
    np.testing.assert_array_equal(pixels(figure), pixels(settled))
    left, right = settled.axes
    assert left.xaxis.label.get_position() == (0.5, 0.5)
    assert right.xaxis.label.get_position() != (0.5, 0.5)


def test_both_formats_have_one_layout(tmp_path):
    with mpl.rc_context(RC):
        figure = Figure(figsize=(2.0, 1.5), layout="constrained")
        panel = figure.subplots()
        panel.set_ylabel("height")
    places = []
    figure.canvas.mpl_connect("draw_event", lambda _: places.append(panel.get_position().bounds))
    save(figure, tmp_path / "a")
    assert panel.get_position().bounds == places[0]
