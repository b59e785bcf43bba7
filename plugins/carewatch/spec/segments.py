"""Answer the question: into which segments do a firm's customers fall?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import Name, Strict, Text, by_name


class Segment(Strict):
    """Customers of whom a condition is true."""

    label: Text = Field(description="what people see 名称")
    when: ConditionField = Field(description="who belongs to it 条件, over metrics and attributes")


class Segmentation(Strict):
    """One way to divide customers: the first segment whose condition is true; a missing value fits none."""

    label: Text = Field(description="what people see 名称")
    segments: dict[Name, Segment] = Field(
        min_length=1, description="the segments in order 细分; the first whose condition is true counts"
    )
    otherwise: Name = Field(description="the segment of everybody else 其余客户")
    otherwise_label: Text | None = Field(default=None, description="what people see of it 其余客户名称")

    @property
    def names(self) -> tuple[str, ...]:
        """The segments in order."""
        return (*self.segments, self.otherwise)

    def reads(self) -> frozenset[str]:
        """Return the names of metrics and attributes that the segments depend on."""
        return frozenset().union(*(names(one.when) for one in self.segments.values()))


class SegmentsFile(Strict):
    """`segments.yaml`: ways to divide customers, such as by value, activity and loyalty 客户细分.

    Computed on the first of each month and kept, with the definition that made them. Conditions read each by its name.
    """

    version: Literal[1]
    segments: Annotated[dict[Name, Segmentation], AfterValidator(by_name)] = Field(
        min_length=1, description="the divisions by name"
    )
