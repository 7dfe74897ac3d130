"""A picture becomes the texts of all DataMatrix codes in it.

Law: only what the code's own error correction vouches for is read; all codes found are given back, in the order found,
and none is preferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.models.vial import GreyPicture

if TYPE_CHECKING:
    import numpy as np

    _Grey = np.ndarray[Any, Any]

SMALLEST_SIDE = 12
_HANDY = 1_000_000
_NEIGHBOURHOOD = 31


def texts_in(picture: GreyPicture) -> tuple[str, ...]:
    """The texts of all codes, each with its symbology identifier (``]d2`` for GS1) and ASCII 29 between the parts.

    A DataMatrix that is not GS1 is among them with another identifier, so that it can be refused in words. The picture
    is looked at as it is; then, at a megapixel or less, with noise averaged out, with shadows evened out, and enlarged.
    """
    import numpy as np

    grey = np.frombuffer(picture.rows, dtype=np.uint8).reshape(picture.height, picture.width)
    texts: list[str] = []
    if min(grey.shape) >= SMALLEST_SIDE:
        texts += _read(grey)
        while grey.size > _HANDY:
            grey = _halved(grey)
        texts += _read(_smoothed(grey)) + _read(_evened(grey), is_even=True) + _read(_doubled(grey))
    return tuple(dict.fromkeys(texts))


def _read(grey: _Grey, *, is_even: bool = False) -> list[str]:
    import zxingcpp

    binarizer = zxingcpp.Binarizer.GlobalHistogram if is_even else zxingcpp.Binarizer.LocalAverage
    codes = zxingcpp.read_barcodes(
        grey,
        formats=zxingcpp.barcode_formats_from_str("DataMatrix"),
        text_mode=zxingcpp.TextMode.Plain,
        binarizer=binarizer,
    )
    return [code.symbology_identifier + code.text for code in codes if code.valid]


def _halved(grey: _Grey) -> _Grey:
    """Half the size; each pixel is the mean of four, rounded down."""
    import numpy as np

    even = grey[: grey.shape[0] // 2 * 2, : grey.shape[1] // 2 * 2].astype(np.uint16)
    mean: _Grey = ((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) // 4).astype(np.uint8)
    return mean


def _smoothed(grey: _Grey) -> _Grey:
    """Each pixel is the mean of nine, rounded down."""
    return (_sums(grey, 3) // 9).astype(grey.dtype)


def _evened(grey: _Grey) -> _Grey:
    """Each pixel by how bright it is among its neighbours: 128 is their mean."""
    import numpy as np

    around = np.maximum(_sums(grey, _NEIGHBOURHOOD), 1)
    evened: _Grey = np.minimum(grey.astype(np.int64) * (128 * _NEIGHBOURHOOD**2) // around, 255).astype(np.uint8)
    return evened


def _sums(grey: _Grey, side: int) -> _Grey:
    """The sum of the square of pixels around each; the border counts on outwards."""
    import numpy as np

    padded = np.pad(grey.astype(np.int64), side // 2, mode="edge")
    whole = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    sums: _Grey = whole[side:, side:] - whole[:-side, side:] - whole[side:, :-side] + whole[:-side, :-side]
    return sums


def _doubled(grey: _Grey) -> _Grey:
    """Twice the size, with the mean of its neighbours between every two pixels, rounded down."""
    import numpy as np

    wide = np.repeat(grey.astype(np.uint16), 2, axis=1)
    wide[:, 1:-1:2] = (wide[:, 0:-2:2] + wide[:, 2::2]) // 2
    tall = np.repeat(wide, 2, axis=0)
    tall[1:-1:2] = (tall[0:-2:2] + tall[2::2]) // 2
    return tall.astype(np.uint8)
