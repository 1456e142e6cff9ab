"""Names that would leave a folder, or that no honest writer gives a file."""

HOSTILE = [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "a/",
    "",
    ".",
    "..",
    "./a",
    "a/./b",
    "a\\b",
    "..\\x",
    "a\nb",
    "a\x00b",
    "a\x1b[31mb",
    "a\u202eb",
    "a\u2028b",
    "a\ud800",
    "x" * 1025,
]
