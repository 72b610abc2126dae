"""Feeds as an administrator writes them: lists of numbers that come from a file or an address."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, HttpUrl, model_validator

from screener.policy.section import Section

SELDOM_MINUTES: Final = 60
"""How often an address is asked at the most: what somebody gives away is not to be hammered."""


class FeedSettings(Section):
    """One list of numbers from a file or an address: one number a line, or CSV."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    """What it is called in reasons and commands: small letters, digits and dashes."""
    url: HttpUrl | None = None
    """Where it is fetched from: https, or http where nothing on the way can change it."""
    file: Path | None = None
    """Instead of an address: an absolute path. It is read again within seconds of a change."""
    list: Literal["block", "allow", "contact"]
    """What its numbers are: `block` rejected, `allow` let through, `contact` trusted as people you know."""
    points: Annotated[float, Field(gt=0, le=100)] | None = None
    """For a `block` feed: its numbers are not rejected, they get these points. For what strangers think of a number."""
    format: Literal["auto", "lines", "csv"] = "auto"
    """`lines`: a number a line; `csv`: a table; `auto`: as it looks."""
    column: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """The column of a table that has the numbers, by its heading; left out: the first one that is called like one."""
    every_minutes: float = Field(default=SELDOM_MINUTES, ge=SELDOM_MINUTES, le=44_640)
    """Minutes between two looks at an address."""
    note: str = Field(default="", max_length=200)
    """What it is; shown with each verdict that it decides."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.url is None) == (self.file is None):
            raise ValueError("a feed comes either from a url or from a file")
        if self.file is not None and not self.file.is_absolute():
            raise ValueError("the file of a feed needs its whole path, from / on")
        if self.points is not None and self.list != "block":
            raise ValueError("points are for a feed whose list is block")
        if self.column is not None and self.format == "lines":
            raise ValueError("a feed of lines has no column")
        return self
