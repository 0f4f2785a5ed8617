"""A figure as PNG, of pixels without their transparency, which is always none.

Rows are stored as they are: of white paper with lines, the differences between pixels that PNG has
in their place give larger files and take longer.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["png_bytes", "write_png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR, BITS = 2, 8  # red, green and blue of one byte each
LEVEL = 4  # of compression: smaller files than Pillow's, in half of its time


def write_png(figure: Figure, file: Path) -> None:
    """Write a figure to a file, with as many dots per inch as `savefig.dpi` says."""
    dpi, pixels = mpl.rcParams["savefig.dpi"], BytesIO()
    figure.savefig(pixels, format="rgba")
    width = int(figure.get_figwidth() * dpi)
    file.write_bytes(png_bytes(np.frombuffer(pixels.getbuffer(), np.uint8), width, dpi))


def png_bytes(rgba: NDArray[np.uint8], width: int, dpi: float) -> bytes:
    r"""Return the bytes of a PNG.

    Parameters
    ----------
    rgba : ndarray of uint8
        Red, green, blue and opacity of each pixel, row by row; the opacity is not looked at.
    width : int
        Pixels in a row.
    dpi : float
        Pixels in an inch.

    Examples
    --------
    >>> red = png_bytes(np.array([255, 0, 0, 255], np.uint8), 1, 250)
    >>> red[:8], len(red)
    (b'\x89PNG\r\n\x1a\n', 90)
    """
    pixels = rgba.reshape(-1, width, 4)[:, :, :3]
    height, metre = len(pixels), round(dpi / 0.0254)
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with the kind of differences
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, BITS, COLOUR, 0, 0, 0),
        b"pHYs": struct.pack(">IIB", metre, metre, 1),
        b"IDAT": zlib.compress(rows.data, LEVEL),
        b"IEND": b"",
    }
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks.items())


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
