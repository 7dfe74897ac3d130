"""A vial as its code describes it, and what the rules say about the vials that are to go into a pump.

Law: a vial is what its code says or what two people typed alike, never what somebody expects; what the catalogue does
not know is asked for twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.models.catalogue import Drug
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.formats import plain
from app.models.quantities import Concentration, Volume


class ScanProblem(StrEnum):
    """Why the text of a scan is no vial."""

    EMPTY = "empty"
    CAPS_LOCK = "caps-lock"
    NOT_GS1 = "not-gs1"
    CONTRADICTION = "contradiction"
    NO_GTIN = "no-gtin"
    CHECK_DIGIT = "check-digit"
    NO_EXPIRY = "no-expiry"
    BAD_EXPIRY = "bad-expiry"
    NO_LOT = "no-lot"


class ScanRefusedError(AppError):
    """A scan is not a vial's code, or lacks a part; ``problem`` says which."""

    def __init__(self, *, problem: ScanProblem, **values: object) -> None:
        self.problem = ScanProblem(problem)
        super().__init__(problem=self.problem, **values)


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the catalogue: what is in the container that carries this GTIN.

    ``drug`` is a slug of the catalogue; ``volume`` is that of all that the code stands for; a ``screening`` product is
    never for a pump. ``verified`` says whether the GTIN was seen on a container.
    """

    gtin: str
    name: str
    drug: str
    concentration: Concentration
    volume: Volume
    screening: bool
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ScannedVial:
    """What one code says. ``expires_on`` is the last day of use; ``product`` is ``None`` where it is not known."""

    gtin: str
    lot: str
    expires_on: date
    serial: str | None
    product: Product | None


@dataclass(frozen=True, slots=True)
class GreyPicture:
    """A picture in 8-bit grey, row after row without gaps, 0 is black."""

    width: int
    height: int
    rows: bytes


@dataclass(frozen=True, slots=True)
class VialReader:
    """How a vial is read here.

    ``read`` makes a vial of a scan's text, or raises ScanRefusedError; ``texts_in`` finds the texts of all codes in a
    picture.
    """

    read: Callable[[str], ScannedVial]
    texts_in: Callable[[GreyPicture], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go into a pump today; ``needed`` is ``None`` where the volume is not known yet."""

    drug: Drug
    concentration: Concentration
    needed: Volume | None
    today: date


@dataclass(frozen=True, slots=True)
class LabelReading:
    """What one person typed from a label; ``drug`` is a slug."""

    drug: str
    concentration: Concentration
    lot: str
    expires_on: date


def check_digit(digits: str) -> str:
    """The last digit of a GTIN whose other digits these are: weights 3 and 1 from the right, filled up to ten."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def total_volume(vials: Sequence[ScannedVial]) -> Volume:
    """What is in all vials whose product is known, exactly."""
    total = Volume.zero()
    for vial in vials:
        if vial.product is not None:
            total += vial.product.volume
    return total


def is_wrong(vial: ScannedVial, wanted: Wanted) -> bool:
    """Whether this vial must not go in: another drug or concentration, for screening, or expired. Source: U-03."""
    findings = _findings_of(vial, wanted.drug, wanted.concentration, wanted.today, entered_twice=True)
    return any(finding.severity is Severity.BLOCK for finding in findings)


def label_of(vials: Sequence[ScannedVial]) -> LabelReading | None:
    """All vials as one label: every lot, and the earliest expiry; ``None`` unless they hold one known solution."""
    contents = {(vial.product.drug, vial.product.concentration) if vial.product else None for vial in vials}
    content = contents.pop() if len(contents) == 1 else None
    if content is None:
        return None
    lots = list(dict.fromkeys(vial.lot for vial in vials))
    return LabelReading(*content, lot=", ".join(lots), expires_on=min(vial.expires_on for vial in vials))


def differing_fields(first: LabelReading, again: LabelReading) -> tuple[str, ...]:
    """Where two readings of a label differ: ``drug``, ``concentration``, ``lot``, ``expires_on``.

    Lots are compared without spaces and without regard to capitals; a 0 is no O. Source: U-07.
    """
    pairs = {
        "drug": (first.drug, again.drug),
        "concentration": (first.concentration, again.concentration),
        "lot": (_lot(first.lot), _lot(again.lot)),
        "expires_on": (first.expires_on, again.expires_on),
    }
    return tuple(name for name, (one, other) in pairs.items() if one != other)


def _lot(text: str) -> str:
    return "".join(text.split()).casefold()


def vial_findings(
    vials: Sequence[ScannedVial],
    drug: Drug,
    concentration: Concentration,
    needed: Volume | None,
    today: date,
    *,
    entered_twice: bool = False,
) -> tuple[Finding, ...]:
    """What the rules say about the vials scanned for a fill.

    Args:
        drug: what is to go into the pump.
        concentration: at which concentration.
        needed: what is to be injected; ``None`` where that is not known yet.
        today: a vial may be used until the end of its last day.
        entered_twice: whether two blind readings of the label agree, which makes up for a product that is not known.

    Nothing is said about no vials. The volume is judged only where every product is known. Source: U-03, U-07.
    """
    findings = [finding for vial in vials for finding in _findings_of(vial, drug, concentration, today, entered_twice)]
    findings += _findings_together(vials)
    total = total_volume(vials)
    if vials and needed is not None and all(vial.product for vial in vials) and total < needed:
        volumes = {"total_ml": plain(total.in_ml), "needed_ml": plain(needed.in_ml)}
        findings.append(Finding("U-03", Severity.BLOCK, "too-little", volumes))
    return tuple(finding for place, finding in enumerate(findings) if finding not in findings[:place])


def _findings_of(
    vial: ScannedVial, drug: Drug, concentration: Concentration, today: date, entered_twice: bool
) -> list[Finding]:
    findings = []
    product = vial.product
    if product is None:
        if not entered_twice:
            findings.append(Finding("U-07", Severity.CONFIRM, "unknown-product", {"gtin": vial.gtin}))
    elif product.screening:
        name = drug.name if product.drug == drug.slug else product.drug
        values = {"concentration_mcg_per_ml": plain(product.concentration.in_mcg_per_ml), "drug": name}
        findings.append(Finding("U-03", Severity.BLOCK, "screening", values))
    elif product.drug != drug.slug:
        values = {"product": product.name, "drug": drug.name, "lot": vial.lot}
        findings.append(Finding("U-03", Severity.BLOCK, "wrong-drug", values))
    elif product.concentration != concentration:
        values = {
            "found_mcg_per_ml": plain(product.concentration.in_mcg_per_ml),
            "concentration_mcg_per_ml": plain(concentration.in_mcg_per_ml),
            "lot": vial.lot,
        }
        findings.append(Finding("U-03", Severity.BLOCK, "wrong-concentration", values))
    if vial.expires_on < today:
        values = {"lot": vial.lot, "expires_on": vial.expires_on.isoformat()}
        findings.append(Finding("U-03", Severity.BLOCK, "vial-expired", values))
    return findings


def _findings_together(vials: Sequence[ScannedVial]) -> list[Finding]:
    findings = []
    serials = Counter((vial.gtin, vial.serial) for vial in vials if vial.serial is not None)
    for (_gtin, serial), count in serials.items():
        if count > 1:
            findings.append(Finding("U-03", Severity.BLOCK, "same-serial", {"serial": str(serial)}))
    without = [vial for vial in vials if vial.serial is None]
    if len(without) > 1:
        findings.append(Finding("U-03", Severity.CONFIRM, "count-vials", {"count": len(without)}))
    elif without:
        findings.append(Finding("U-03", Severity.NOTE, "no-serial", {"lot": without[0].lot}))
    lots = list(dict.fromkeys(vial.lot for vial in vials))
    if len(lots) > 1:
        findings.append(Finding("U-03", Severity.NOTE, "mixed-lots", {"lots": ", ".join(lots)}))
    return findings
