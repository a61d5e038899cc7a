"""Reads consecutive shards of one input in one pass, and sees that the input is still the planned one."""

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

from bioner_core.documents import Document
from bioner_core.errors import InputError
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.reader import UNKNOWN, public_name, read_records
from bioner_core.records import Record
from bioner_core.store.layout import ShardDescriptor


class ShardInput:
    """A reading position in one input at a time. Shards are asked for in order; those in between are passed over.

    Without it, each shard would read its file from the start, and a file of many shards would be read many times.
    """

    def __init__(self) -> None:
        self._records: Iterator[Record] | None = None
        self._input = ("", "")
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def records(self, descriptor: ShardDescriptor) -> Iterator[Record]:
        """The records of a shard, each exactly once, numbered from `descriptor.first`.

        Raises:
            InputError: the input cannot be read, or is not what it was when it was planned.
        """
        is_open = self._records is not None and self._input == (descriptor.input_file, descriptor.input_digest)
        if not is_open or descriptor.first < self._position:
            self._open(descriptor)
        while self._position < descriptor.first:
            self._next(descriptor)
        while self._position < descriptor.last:
            yield self._next(descriptor)

    def close(self) -> None:
        """Give the file back; the next shard opens it again."""
        if isinstance(self._records, Generator):
            self._records.close()
        self._records = None

    def _open(self, descriptor: ShardDescriptor) -> None:
        self.close()
        if file_digest(descriptor.input_file) != descriptor.input_digest:
            raise _changed(descriptor, "its digest is another one")
        self._input, self._position = (descriptor.input_file, descriptor.input_digest), descriptor.first
        name = None if descriptor.format_name == UNKNOWN else descriptor.format_name
        self._records = read_records(descriptor.input_file, format_name=name, first=descriptor.first)

    def _next(self, descriptor: ShardDescriptor) -> Record:
        record = next(self._records or iter(()), None)
        if record is None or _number(record) != self._position:
            found = "is missing" if record is None else f"is numbered {_number(record)}"
            raise _changed(descriptor, f"record {self._position} {found}")
        self._position += 1
        return record


def _number(record: Record) -> int:
    return record.meta.record_number if isinstance(record, Document) else record.record_number


def _changed(descriptor: ShardDescriptor, how: str) -> InputError:
    return InputError(
        f"{public_name(descriptor.input_file)}: has changed since it was planned: {how}. Run the same command again"
    )
