"""Tables of versioned rows that clients edit: API keys and webhooks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from imageapi.database import db
from imageapi.errors import InvalidCursorError, NotFoundError, VersionMismatchError
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.model.ids import LAST_ID, is_id

T = TypeVar("T")


@dataclass(frozen=True)
class ResourceTable:
    """A table of versioned rows.

    Attributes:
        columns: the columns that callers see.
        name: the name of a row in messages and error codes, such as ``key``.
        lock: the first statement of each change.
    """

    table: str
    columns: str
    name: str
    lock: str = ""

    def find(self, row_id: str) -> db.Row | None:
        return db.query_one(f"SELECT {self.columns} FROM {self.table} WHERE id = %s", (row_id,))

    def get(self, row_id: str) -> db.Row:
        """The row with an id that a client sent, valid or not.

        Raises:
            NotFoundError: ``<name>_not_found``.
        """
        return self._expect(self.find(row_id.lower()) if is_id(row_id) else None)

    def change(
        self, row_id: str, versions: Sequence[int] | None, work: Callable[[db.Cursor, db.Row], T]
    ) -> T:
        """Run ``work`` on a locked row in one transaction. Returns its result.

        Args:
            versions: change the row only at one of these versions; None for any.

        Raises:
            NotFoundError: as :func:`get`.
            VersionMismatchError: the row is at another version.
        """
        sql = f"{self.lock}; SELECT {self.columns} FROM {self.table} WHERE id = %s FOR UPDATE"

        def run(cursor: db.Cursor) -> T:
            row = self._expect(db.query_one(sql, (row_id,), cursor) if is_id(row_id) else None)
            if versions is not None and row["version"] not in versions:
                raise VersionMismatchError(row["version"])
            return work(cursor, row)

        return db.transaction(run)

    def list_page(
        self, limit: int, cursor: str | None, serialize: Callable[[db.Row], dict[str, Any]]
    ) -> dict[str, Any]:
        """``{"<name>s": [serialized rows], "next_cursor": str | None}``, newest first.

        Raises:
            InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
        """
        filters = {"list": self.table}
        before = _parse_cursor(cursor, filters) if cursor else LAST_ID
        sql = f"SELECT {self.columns} FROM {self.table} WHERE id < %s ORDER BY id DESC LIMIT %s"
        rows = db.query(sql, (before, limit + 1))
        following = encode_values([rows[limit - 1]["id"]], filters) if len(rows) > limit else None
        return {f"{self.name}s": [serialize(row) for row in rows[:limit]], "next_cursor": following}

    def _expect(self, row: db.Row | None) -> db.Row:
        if row is None:
            raise NotFoundError(f"No {self.name} has this id.", code=f"{self.name}_not_found")
        return row


def _parse_cursor(cursor: str, filters: dict[str, str]) -> str:
    last: str
    (last,) = decode_values(cursor, filters, str)
    if not is_id(last):
        raise InvalidCursorError()
    return last
