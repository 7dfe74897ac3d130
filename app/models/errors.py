"""The root of all errors that a caller may act on.

Law: an error is named after what happened and carries the values that explain it; it holds no
translated text. Sentences for people are made in the user interface.
"""


class AppError(Exception):
    """Something that a caller can name and act on; ``values`` are the numbers that explain it."""

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(", ".join(f"{name}={value}" for name, value in values.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return _made_again, (type(self), self.values)


def _made_again(kind: type[AppError], values: dict[str, object]) -> AppError:
    """An error that came from another process."""
    return kind(**values)
