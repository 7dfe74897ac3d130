"""Where the catalogues, icons, themes, translations and templates are.

In a checkout they are the folder ``resources``; in an installed Cisterna the same files lie in
``app/_resources``. Nobody else needs to know which.
"""

from pathlib import Path

_APP = Path(__file__).resolve().parent


def resource_path(relative: str) -> Path:
    """Return the path of a resource, such as ``catalogue/pumps.toml``; it need not exist."""
    installed = _APP / "_resources"
    root = installed if installed.is_dir() else _APP.parent / "resources"
    return root / relative
