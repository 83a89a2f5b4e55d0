"""Python source: from bytes to text as CPython reads it, and pieces of it by position."""

import codecs
import io
import re
import tokenize

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class SourceError(Exception):
    """The bytes are no source that CPython would take."""

    def __init__(self, code, message, line=None, column=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


def decode(data):
    """The text of a source file. Raises SourceError."""
    if data.startswith(_UTF32) or data.startswith(_UTF16):
        raise SourceError("encoding", "The file is UTF-16 or UTF-32; Python reads neither. Save it as UTF-8.", 1, 1)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        hint = " It looks like UTF-16; save it as UTF-8." if data[:200].count(b"\0") > 20 else ""
        raise SourceError("null_byte", f"The source contains a null byte.{hint}", line, 1)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except (SyntaxError, LookupError, ValueError) as error:
        raise SourceError("encoding", _bad_encoding(data, error), *_position(data, None)) from None
    try:
        codec = codecs.lookup(encoding)
        if not getattr(codec, "_is_text_encoding", True):
            raise SourceError("encoding", f"{encoding} is not an encoding of text.", 1, 1)
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError("encoding", f"The source is not valid {encoding}: {error.reason}.", *_position(data, error.start)) from None
    except (LookupError, ValueError) as error:
        raise SourceError("encoding", f"The encoding {encoding} cannot be read: {error}.", 1, 1) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _bad_encoding(data, error):
    declared = re.search(rb"coding[:=][ \t]*([-\w.]{1,60})", b"\n".join(data.split(b"\n", 2)[:2]))
    if declared and "unknown encoding" in str(error):
        return f"The coding line names an encoding that does not exist: {declared.group(1).decode('ascii', 'replace')}."
    return "The source is not valid UTF-8 and has no coding line that says what it is (PEP 263)."


def _position(data, start):
    if start is None:
        try:
            data.decode("utf-8")
            return 1, 1
        except UnicodeDecodeError as error:
            start = error.start
    line = data.count(b"\n", 0, start) + 1
    return line, start - (data.rfind(b"\n", 0, start) + 1) + 1


class Lines:
    """Finds the text of a node. Columns of `ast` count UTF-8 bytes."""

    def __init__(self, text):
        # `ast` ends lines at these alone, `str.splitlines` at many more.
        self._lines = text.split("\n")

    def of(self, node):
        first, last = node.lineno - 1, node.end_lineno - 1
        if first == last:
            return self._cut(first, node.col_offset, node.end_col_offset)
        parts = [self._cut(first, node.col_offset, None), *self._lines[first + 1 : last], self._cut(last, 0, node.end_col_offset)]
        return "\n".join(parts)

    def _cut(self, index, start, end):
        line = self._lines[index]
        if line.isascii():
            return line[start:end]
        return line.encode("utf-8")[start:end].decode("utf-8", "replace")

    def column(self, line, byte_offset):
        """From 1, in characters."""
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return (byte_offset if text.isascii() else len(text.encode("utf-8")[:byte_offset].decode("utf-8", "replace"))) + 1
