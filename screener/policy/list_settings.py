"""The lists as an administrator writes them: numbers that are decided by hand."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from screener.policy.section import Section


def _moment(value: Any) -> Any:
    """Take what YAML made a date of, and text such as `2026-12-31 18:00`; a bare figure is no date."""
    if isinstance(value, str):
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return read(value.strip())
            except ValueError:
                pass
    if value is None or isinstance(value, date):
        return value
    raise ValueError("expected a date such as 2026-12-31, or a date and time such as 2026-12-31 18:00")


class ListEntry(Section):
    """One number or one country on a list; a plain string stands for its number."""

    number: Annotated[str, Field(min_length=2, max_length=40)] | None = None
    """A number (any spelling of the policy's region) or, ending in `*`, a prefix in E.164: `+1900*`."""
    country: Annotated[str, Field(min_length=2, max_length=2)] | None = None
    """Instead of a number: all numbers of a country (ISO 3166, two letters)."""
    did: str | None = None
    """Only for calls to this DID."""
    note: str = Field(default="", max_length=200)
    """Why it is here; shown with each verdict that it decides."""
    author: str = Field(default="", max_length=80)
    """Who wrote it; shown with each verdict that it decides."""
    until: Annotated[datetime | date | None, BeforeValidator(_moment)] = None
    """Until when it holds, in the policy's time zone: a date (to the end of that day), or a date and time."""

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.number is None) == (self.country is None):
            raise ValueError("an entry names either a number or a country")
        return self


def _entry(value: Any) -> Any:
    return {"number": value} if isinstance(value, str) else value


WrittenEntry = Annotated[ListEntry, BeforeValidator(_entry)]


class ListSettings(Section):
    """Numbers that are decided by hand."""

    allow: tuple[WrittenEntry, ...] = ()
    """Callers that always ring through."""
    block: tuple[WrittenEntry, ...] = ()
    """Callers that are rejected."""
