"""Tells by its first bytes that a file is packed, where plain text is expected."""

_BEGINNINGS = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ\x00": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"PK\x03\x04": ("zip", "unzip"),
}
"""How packed files begin, their format, and the command that unpacks them."""


def packed(content: bytes) -> str | None:
    """What is wrong with a text that is packed, and the cure; None if it is not packed.

    Args:
        content: the file, or its beginning.
    """
    for beginning, (name, command) in _BEGINNINGS.items():
        if content.startswith(beginning):
            return f"is packed ({name}), expected plain text: unpack it with {command}"
    return None
