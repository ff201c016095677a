"""A wheel (PEP 427) written by hand: a zip with its metadata and a record of hashes, the same bytes for the same files."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence

THEN = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows


def wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes],
    summary: str,
    readme: str,
    needs: Sequence[str] = (),
    licences: Mapping[str, str] | None = None,
) -> tuple[str, bytes]:
    """The file name and the content of a wheel of pure Python. files: by their paths below site-packages.

    licences: of what is another's, by the other's name.
    """
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    folder = f"{stem}.dist-info"
    meta = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {' '.join(summary.split())}",
            "Requires-Python: >=3.10", *(f"Requires-Dist: {each}" for each in needs), "Description-Content-Type: text/markdown"]  # fmt: skip
    told = {
        f"{folder}/METADATA": "\n".join(meta) + "\n\n" + readme,
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: groundup\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    told |= {f"{folder}/LICENSE.{whose}": text for whose, text in (licences or {}).items()}
    held = {**dict(sorted(files.items())), **{path: text.encode("utf-8", "replace") for path, text in told.items()}}
    record = [f"{_quoted(path)},sha256={_digest(data)},{len(data)}" for path, data in held.items()]
    held[f"{folder}/RECORD"] = ("\n".join([*record, f"{folder}/RECORD,,"]) + "\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in held.items():
            entry = zipfile.ZipInfo(path, THEN)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return f"{stem}-py3-none-any.whl", packed.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _quoted(path: str) -> str:
    """A path as a field of CSV."""
    return '"' + path.replace('"', '""') + '"' if re.search(r'[",\n]', path) else path
