"""A case: one setting, another value for it, and a result that the change alters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from twitchsense.settings import Settings


def altered(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return settings with other values, validated as those of a file are."""
    values = settings.model_dump()
    for key, value in changes.items():
        group, _, name = key.rpartition(".")
        (values[group] if group else values)[name] = value
    return Settings.model_validate(values)


def setting_keys() -> Iterator[str]:
    """Yield the key of every setting: ``group.name``, or ``name`` outside the groups."""
    defaults = Settings()
    for name in Settings.model_fields:
        value = getattr(defaults, name)
        if isinstance(value, BaseModel):
            yield from (f"{name}.{inner}" for inner in type(value).model_fields)
        else:
            yield name


def value_of(settings: Settings, key: str) -> Any:
    """Return the value of a setting."""
    for name in key.split("."):
        settings = getattr(settings, name)
    return settings


def choices(key: str) -> tuple[str, ...]:
    """Return the values that a setting may have, if they are a fixed set of words."""
    model: type[BaseModel] = Settings
    *groups, name = key.split(".")
    for group in groups:
        model = type(getattr(Settings(), group))
    kind = model.model_fields[name].annotation
    return get_args(kind) if get_origin(kind) is Literal else ()


@dataclass(frozen=True)
class SettingCase:
    """One setting, another value for it, and a result that the change alters.

    Attributes
    ----------
    key : str
        ``group.name`` of the setting.
    value : object
        The other value.
    result : callable
        Maps settings to the result.
    before, after : object
        The result with `base`, and with `value` in addition.
    base : mapping of str to object
        Further settings of both, where the default leaves the setting without effect.
    """

    key: str
    value: Any
    result: Callable[[Settings], Any]
    before: Any
    after: Any
    base: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> tuple[Settings, Settings]:
        """Settings without and with the other value."""
        base = altered(Settings(), self.base)
        return base, altered(base, {self.key: self.value})

    def of(self, settings: Settings) -> Any:
        """Return the value of the setting."""
        return value_of(settings, self.key)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
