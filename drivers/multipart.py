"""Multipart bodies as devices send them, whole or as an endless stream; bounded in every direction. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.base import BadFrameError

MAX_HEAD = 4096
MAX_PART = 4 * 1024 * 1024
MAX_PARTS = 32  # of a whole body
_BOUNDARY = re.compile(r'boundary\s*=\s*"?([^";,\s]{1,70})', re.IGNORECASE)
_NAME = re.compile(r'\b(name|filename)\s*=\s*(?:"([^"]{0,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part. *name* is its file name, else its field name; *content_type* lower case, without parameters."""

    name: str
    content_type: str
    body: bytes = field(repr=False)


def boundary_of(content_type: str) -> bytes:
    """The boundary a content type names. Raises BadFrameError."""
    found = _BOUNDARY.search(content_type[:512])
    if not found or not content_type.lower().lstrip().startswith("multipart/"):
        raise BadFrameError("not multipart with a boundary")
    return found[1].encode("latin-1", "replace").removeprefix(b"--")  # some devices write the dashes into the name


def split_body(body: bytes, content_type: str) -> list[Part]:
    """The parts of a whole body. Raises BadFrameError."""
    stream = MultipartStream(boundary_of(content_type))
    parts = [*stream.feed(body), *stream.end()]
    if len(parts) > MAX_PARTS:
        raise BadFrameError(f"multipart with {len(parts)} parts; at most {MAX_PARTS} are taken")
    return parts


class MultipartStream:
    """Takes bytes as they come and gives parts as they end: by their length where they say it, else by the boundary."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"--" + boundary
        self._buffer = bytearray()
        self._head: dict[str, str] | None = None
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[Part]:
        """Parts that end in *data*. Raises BadFrameError; the stream is then of no use any more."""
        self._buffer += data
        while (part := self._next()) is not None:
            yield part

    def end(self) -> Iterator[Part]:
        """The last part, where the sender left the closing boundary out."""
        if self._head is not None and self._buffer.strip():
            yield self._part(bytes(self._buffer))

    def _next(self) -> Part | None:
        if self._head is None and not self._take_head():
            return None
        assert self._head is not None  # noqa: S101 - just taken
        said = self._head.get("content-length", "")
        if _LENGTH.fullmatch(said) and int(said) > 0:
            return self._by_length(int(said))
        return self._by_boundary()

    def _take_head(self) -> bool:
        start = self._buffer.find(self._mark)
        if start < 0:
            if len(self._buffer) > MAX_HEAD + len(self._mark):
                del self._buffer[: -len(self._mark)]  # what stands before the first boundary is nothing
            return False
        begin = start + len(self._mark)
        end, gap = self._blank_line(begin)
        if end < 0:
            if len(self._buffer) - begin > MAX_HEAD:
                raise BadFrameError(f"multipart head over {MAX_HEAD} bytes")
            return False
        lines = bytes(self._buffer[begin:end]).decode("utf-8", "replace").splitlines()
        self._head = {
            name.strip().lower(): value.strip()
            for name, colon, value in (line.partition(":") for line in lines)
            if colon
        }
        del self._buffer[: end + gap]
        self._searched = 0
        return True

    def _blank_line(self, begin: int) -> tuple[int, int]:
        ends = [(self._buffer.find(gap, begin, begin + MAX_HEAD), len(gap)) for gap in (b"\r\n\r\n", b"\n\n")]
        return min(((at, size) for at, size in ends if at >= 0), default=(-1, 0))

    def _by_length(self, length: int) -> Part | None:
        if length > MAX_PART:
            raise BadFrameError(f"multipart part of {length} bytes; at most {MAX_PART} are taken")
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return self._part(body)

    def _by_boundary(self) -> Part | None:
        found = self._buffer.find(self._mark, self._searched)
        if found < 0:
            if len(self._buffer) > MAX_PART:
                raise BadFrameError(f"multipart part over {MAX_PART} bytes")
            self._searched = max(0, len(self._buffer) - len(self._mark))
            return None
        body = bytes(self._buffer[:found])
        del self._buffer[:found]
        return self._part(body.removesuffix(b"\n").removesuffix(b"\r"))

    def _part(self, body: bytes) -> Part:
        head, self._head = self._head or {}, None
        names = {
            key.lower(): quoted or plain for key, quoted, plain in _NAME.findall(head.get("content-disposition", ""))
        }
        kind = head.get("content-type", "").partition(";")[0].strip().lower()
        return Part(names.get("filename") or names.get("name", ""), kind, body)
