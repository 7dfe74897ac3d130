"""Codes in pictures: separators are kept, all codes are given back, and there is never a guess."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import zxingcpp

from app.device.vial_image import texts_in
from app.models.vial import GreyPicture

GS = "\x1d"


def drawn(text: str, *, gs1: bool = True, scale: int = 4) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, gs1=gs1, force_square=True)
    return np.pad(np.array(zxingcpp.write_barcode_to_image(code, scale=scale)), 20, constant_values=255)


def grey(pixels: np.ndarray) -> GreyPicture:
    return GreyPicture(pixels.shape[1], pixels.shape[0], pixels.astype(np.uint8).tobytes())


FIRST, FIRST_TEXT = "(01)00370121250319(21)S001(17)271231(10)AB12", f"]d2010037012125031921S001{GS}1727123110AB12"
OTHER, OTHER_TEXT = "(01)00370121250227(21)S002(17)271231(10)AB12", f"]d2010037012125022721S002{GS}1727123110AB12"


def test_the_separator_is_kept_and_the_code_named() -> None:
    assert texts_in(grey(drawn(FIRST))) == (FIRST_TEXT,)


def test_two_codes_in_a_picture_are_both_given_back() -> None:
    assert set(texts_in(grey(np.hstack([drawn(FIRST), drawn(OTHER)])))) == {FIRST_TEXT, OTHER_TEXT}


def test_the_same_code_seen_twice_is_one_text() -> None:
    assert texts_in(grey(np.hstack([drawn(FIRST), drawn(FIRST)]))) == (FIRST_TEXT,)


def test_a_code_that_is_not_gs1_is_named_as_such() -> None:
    assert texts_in(grey(drawn("0100370121250319", gs1=False))) == ("]d10100370121250319",)


def test_other_kinds_of_codes_are_not_read() -> None:
    code = zxingcpp.create_barcode("0370121250319", zxingcpp.BarcodeFormat.EAN13)
    assert (
        texts_in(grey(np.pad(np.array(zxingcpp.write_barcode_to_image(code, scale=3)), 20, constant_values=255))) == ()
    )


@pytest.mark.parametrize("shape", [(1, 1), (11, 400), (12, 12), (13, 501), (480, 640), (1200, 1300)])
def test_a_picture_without_code_gives_nothing(shape: tuple[int, int]) -> None:
    assert texts_in(grey(np.random.default_rng(7).integers(0, 256, shape))) == ()


def test_a_code_in_a_large_picture_is_found() -> None:
    ground = np.full((2400, 3200), 180)
    code = drawn(FIRST)
    ground[1500 : 1500 + code.shape[0], 2000 : 2000 + code.shape[1]] = code
    assert texts_in(grey(ground)) == (FIRST_TEXT,)


def test_half_a_code_is_no_code() -> None:
    code = drawn(FIRST)
    assert texts_in(grey(code[: code.shape[0] // 2])) == ()


def test_nothing_heavy_is_loaded_before_a_picture_is_read() -> None:
    program = (
        "import sys, app.device.vial_image, app.documents.gs1, app.documents.products; "
        "print(sorted({'zxingcpp', 'biip', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
