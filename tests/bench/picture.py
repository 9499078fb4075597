"""
Renders a page with Chromium and looks at the colours: whether charts are there and on what ground.
"""

import collections
import pathlib
import struct
import subprocess
import tempfile
import zlib

WIDTH, HEIGHT = 640, 900


class Picture:
    def __init__(self, png):
        width, rows = decode(png)
        self._colours = collections.Counter(
            row[at : at + 3] for row in rows for at in range(0, width * 3, 3))
        self._size = sum(self._colours.values())

    def share(self, colour):
        return self._colours[bytes.fromhex(colour[1:])] / self._size

    def common(self):
        return [("#" + colour.hex(), n) for colour, n in self._colours.most_common(6)]


def decode(png):
    """Rows of RGB bytes of an 8-bit PNG; filters as in the PNG specification, section 9."""
    at, packed, header = 8, b"", None
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + size]
        header = struct.unpack(">IIBB", body[:10]) if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    width, height, depth, colour = header
    assert depth == 8 and colour in (2, 6), header
    step = 3 if colour == 2 else 4
    raw, rows, above = zlib.decompress(packed), [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(raw[start + 1 : start + 1 + width * step])
        unfilter(raw[start], row, above, step)
        above = row
        rows.append(bytes(row) if step == 3 else b"".join(row[i : i + 3] for i in range(0, len(row), 4)))
    return width, [bytes(row) for row in rows]


def unfilter(kind, row, above, step):
    if kind == 0:
        return
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            p = left + above[i] - corner
            distances = (abs(p - left), abs(p - above[i]), abs(p - corner))
            guess = (left, above[i], corner)[distances.index(min(distances))]
        row[i] = (row[i] + guess) & 255


def render(page, dark):
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder, "page.png")
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-sync", f"--user-data-dir={folder}/profile", "--hide-scrollbars",
             f"--window-size={WIDTH},{HEIGHT}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
             f"--screenshot={target}", page.as_uri()],
            check=True, capture_output=True, timeout=60)
        return Picture(target.read_bytes())
