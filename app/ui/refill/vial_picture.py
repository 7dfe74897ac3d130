"""A picture file as the grey pixels in which codes are looked for.

Law: a picture is turned as the camera held it and never sharpened or stretched; what is no picture is an error.
"""

from __future__ import annotations

from PySide6.QtGui import QImage, QImageReader

from app.models.errors import AppError
from app.models.vial import GreyPicture

MOST_PIXELS = 24_000_000


class UnreadablePictureError(AppError):
    """The file is no picture that can be read; ``problem`` is what the reader of pictures says."""


def grey_of(image: QImage) -> GreyPicture:
    """The pixels of an image or camera frame in 8-bit grey."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    width, stride = grey.width(), grey.bytesPerLine()
    pixels = bytes(grey.constBits())
    rows = b"".join(pixels[row * stride : row * stride + width] for row in range(grey.height()))
    return GreyPicture(width, grey.height(), rows)


def read_picture(path: str) -> GreyPicture:
    """The picture in a file; one of more than 24 million pixels is shrunk to that. Raises: UnreadablePictureError."""
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    pixels = size.width() * size.height()
    if pixels > MOST_PIXELS:
        reader.setScaledSize(size * (MOST_PIXELS / pixels) ** 0.5)
    image = reader.read()
    if image.isNull():
        raise UnreadablePictureError(problem=reader.errorString())
    return grey_of(image)
