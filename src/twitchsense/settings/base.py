"""The base class of all settings, and the types of ranges."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class FrozenModel(BaseModel):
    """An immutable model that rejects unknown keys, infinity and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _check_positive_range(limits: tuple[float, float]) -> tuple[float, float]:
    return _check_range(limits, 0 < limits[0] < limits[1], "above 0")


def _check_range_from_zero(limits: tuple[float, float]) -> tuple[float, float]:
    return _check_range(limits, 0 <= limits[0] < limits[1], "of at least 0")


def _check_range(limits: tuple[float, float], valid: bool, lower: str) -> tuple[float, float]:
    """Return the limits of a range; raise the error that pydantic reports if invalid."""
    if not valid:
        low, high = limits
        raise PydanticCustomError(
            "invalid_range",
            "a range needs a lower limit {lower} and an upper limit above the lower one, "
            "not {low} and {high}",
            {"lower": lower, "low": f"{low:g}", "high": f"{high:g}"},
        )
    return limits


#: A range of rates or intervals: 0 < low < high.
PositiveRange = Annotated[tuple[float, float], AfterValidator(_check_positive_range)]
#: A range of durations, which may begin at zero: 0 <= low < high.
RangeFromZero = Annotated[tuple[float, float], AfterValidator(_check_range_from_zero)]
