"""``cisterna evaluate``: the calculator without a window.

Law: one document in, one answer out, by the same code that the windows use. A document that can be understood is
always answered; one that cannot is refused with one line that names the place. Field names are a promise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from app.documents import evaluate_more, evaluate_refill
from app.documents.catalogue import load_catalogue
from app.documents.fields import Document, RefusedError
from app.documents.parts import MODES
from app.models.catalogue import Catalogue
from app.models.errors import AppError

Answer = dict[str, Any]

KINDS: dict[str, tuple[type[Document], Callable[[Any, Catalogue], Answer]]] = {
    **evaluate_refill.KINDS,
    **evaluate_more.KINDS,
}


class DocumentRefusedError(AppError):
    """The document cannot be understood; ``path`` and ``message`` say where and why."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = " ".join(message.split())
        super().__init__(path=path, message=self.message)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def evaluate_file(arguments: argparse.Namespace) -> int:
    """Answer one document, or with ``--lines`` one on each line; 2 if one could not be understood."""
    try:
        text = _read(arguments.file)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{arguments.file}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    catalogue = load_catalogue()
    if arguments.lines:
        return _answer_lines(text, catalogue)
    try:
        answer = evaluate_text(text, catalogue)
    except DocumentRefusedError as refused:
        print(refused, file=sys.stderr)
        return 2
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read().decode("utf-8")
    with open(name, encoding="utf-8") as file:
        return file.read()


def _answer_lines(text: str, catalogue: Catalogue) -> int:
    code = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            answer = evaluate_text(line, catalogue)
        except DocumentRefusedError as refused:
            answer, code = {"error": {"path": refused.path, "message": refused.message}}, 2
        print(json.dumps(answer, ensure_ascii=False))
    return code


def evaluate_text(text: str, catalogue: Catalogue) -> Answer:
    """Answer one document given as text. Raises: DocumentRefusedError."""
    return evaluate(_parse(text), catalogue)


def evaluate(document: Any, catalogue: Catalogue) -> Answer:
    """Answer one document. Raises: DocumentRefusedError."""
    if not isinstance(document, dict):
        raise DocumentRefusedError("", "a document is a JSON object")
    kind = document.get("kind")
    if "kind" not in document:
        raise DocumentRefusedError("kind", "missing")
    if not isinstance(kind, str) or kind not in KINDS:
        raise DocumentRefusedError("kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    part, answer = KINDS[kind]
    try:
        understood = part.model_validate({name: value for name, value in document.items() if name != "kind"})
        return answer(understood, catalogue)
    except ValidationError as error:
        raise _refused(error) from None
    except RefusedError as refused:
        raise DocumentRefusedError(refused.field, str(refused)) from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise DocumentRefusedError("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RefusedError as refused:
        raise DocumentRefusedError(refused.field, str(refused)) from None
    except RecursionError:
        raise DocumentRefusedError("", "nested too deeply") from None
    except ValueError:
        raise DocumentRefusedError("", "a number is beyond reason") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RefusedError("given twice", name)
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise RefusedError(f"{name} is not a number")


def _refused(error: ValidationError) -> DocumentRefusedError:
    """The first thing that is wrong, at its own path."""
    first = error.errors()[0]
    path = _path(first["loc"])
    kind, found = first["type"], first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, RefusedError):
        return DocumentRefusedError(_below(path, cause.field), str(cause))
    if kind == "missing":
        return DocumentRefusedError(path, "missing")
    if kind == "extra_forbidden":
        return DocumentRefusedError(path, "unknown field")
    if kind == "union_tag_not_found":
        given = isinstance(found, dict)
        return DocumentRefusedError(_below(path, "mode") if given else path, "missing" if given else "not an object")
    if kind == "union_tag_invalid" and isinstance(found, dict):
        return DocumentRefusedError(_below(path, "mode"), f"{found.get('mode')!r} is not one of {', '.join(MODES)}")
    words = {
        "model_type": "not an object",
        "model_attributes_type": "not an object",
        "list_type": "not a list",
        "tuple_type": "not a list",
    }
    return DocumentRefusedError(path, words.get(kind, first["msg"]))


def _path(places: tuple[int | str, ...]) -> str:
    path, before = "", ""
    for place in places:
        if isinstance(place, int):
            path += f"[{place}]"
        elif not (before == "program" and place in MODES):
            path = _below(path, place)
        before = str(place)
    return path


def _below(path: str, field: str) -> str:
    return f"{path}.{field}" if path and field else path or field
