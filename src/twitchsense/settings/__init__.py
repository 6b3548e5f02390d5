"""Settings of an analysis with their sources, named profiles, and TOML files.

In the descriptions, [E] marks an engineering default without a clinical standard
behind it, which is provisional, and [C] a value from a simulation. The sources are
listed in docs/definitions.md.
"""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from twitchsense.errors import InputError
from twitchsense.settings.base import FrozenModel
from twitchsense.settings.detection import (
    AccSettings,
    EmgSettings,
    JerkSettings,
    MovementSettings,
    TwitchSettings,
)
from twitchsense.settings.scoring import (
    ContextSettings,
    LabelSettings,
    LimbSettings,
    TrainSettings,
)
from twitchsense.settings.toml_file import read_toml

__all__ = [
    "PROFILES",
    "AccSettings",
    "ContextSettings",
    "EmgSettings",
    "JerkSettings",
    "LabelSettings",
    "LimbSettings",
    "MovementSettings",
    "Settings",
    "TrainSettings",
    "TwitchSettings",
    "get_profile",
    "load_settings",
]


class Settings(FrozenModel):
    """All settings of an analysis.

    `load_settings` reads them from a TOML file; an unknown key is an error.
    """

    emg: EmgSettings = EmgSettings()
    acc: AccSettings = AccSettings()
    twitch: TwitchSettings = TwitchSettings()
    jerk: JerkSettings = JerkSettings()
    movement: MovementSettings = MovementSettings()
    context: ContextSettings = ContextSettings()
    trains: TrainSettings = TrainSettings()
    labels: LabelSettings = LabelSettings()
    limb: LimbSettings = LimbSettings()
    legs: dict[str, Literal["left", "right"]] = Field(
        default_factory=dict,
        description="leg of a channel whose name does not state it, or of a "
        "device of a night file, by its key or as `--device` names it",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="column names of foreign captures, as in `--map`: foreign = twitchsense",
    )
    zone: str | None = Field(None, description="IANA time zone of the wearer")
    stages: dict[str, str] = Field(
        default_factory=dict,
        description="stage codes of foreign hypnograms, as in `--stages`: foreign = twitchsense",
    )

    def __repr__(self) -> str:
        """Return the values that differ from the defaults."""
        changed = []
        for name, group in Settings():
            value = getattr(self, name)
            if isinstance(value, FrozenModel):
                pairs = [(f"{name}.{key}", v) for key, v in value if v != getattr(group, key)]
            else:
                pairs = [(name, value)] if value != group else []
            changed += [f"{key}={v!r}" for key, v in pairs]
        return f"<Settings: {', '.join(changed) or 'all defaults'}>"

    __str__ = __repr__

    def digest(self) -> str:
        """Return a hash of all values, 16 hexadecimal digits, for provenance.

        Returns
        -------
        str
        """
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def rules_digest(self) -> str:
        """Return a hash of the values that decide what is found, 16 hexadecimal digits.

        Returns
        -------
        str
            Settings on how files are read (columns, legs, time zone, stage codes) do not
            change it.
        """
        rules = self.model_dump_json(exclude={"columns", "legs", "zone", "stages"})
        return hashlib.sha256(rules.encode()).hexdigest()[:16]


#: Profile of an analysis for which none is named.
DEFAULT_PROFILE: Final = "default-2026"

#: Named profiles. Once released, the numbers of a profile never change.
PROFILES: Final[dict[str, Settings]] = {
    DEFAULT_PROFILE: Settings(),
    # leg movements by the AASM manual
    "aasm-2026": Settings(limb=LimbSettings(rules="aasm")),
    # actigraphy detects sleep onset 9-20 min too early: windows that hold the true onset
    # (docs/definitions.md, Hypnic jerks and sleep onset)
    "wide-onset-2026": Settings(context=ContextSettings(drowsy_min=10.0, onset_min=25.0)),
}


def get_profile(name: str) -> Settings:
    """Return a named profile.

    Parameters
    ----------
    name : str
        One of `PROFILES`.

    Returns
    -------
    Settings

    Raises
    ------
    InputError
        If there is no profile of that name.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise InputError(name, "no such profile", f"choose one of {', '.join(PROFILES)}") from None


def load_settings(path: Path, base: Settings | None = None) -> Settings:
    """Read settings from a TOML file.

    Parameters
    ----------
    path : Path
        TOML file.
    base : Settings, optional
        Values of the keys that the file does not set; default settings if omitted.

    Returns
    -------
    Settings

    Raises
    ------
    InputError
        If the file cannot be read, or a key is unknown or its value invalid.
    """
    data = read_toml(path)
    start = (base or Settings()).model_dump()
    for key, value in data.items():
        if isinstance(value, dict) and isinstance(start.get(key), dict):
            start[key] = {**start[key], **value}
        else:
            start[key] = value
    try:
        return Settings.model_validate(start)
    except ValidationError as error:
        first = error.errors()[0]
        place = "key " + ".".join(str(p) for p in first["loc"])
        problem, cure = first["msg"], "see docs/settings.md for the keys"
        if first["type"] == "extra_forbidden":
            problem = "there is no such setting"
            near = _similar_key(first["loc"])
            cure = f"did you mean {near}? {cure[0].upper()}{cure[1:]}" if near else cure
        raise InputError(str(path), problem, cure, place) from error


def _similar_key(loc: tuple[int | str, ...]) -> str:
    """Return the existing key that is most like an unknown one; empty if none is."""
    model: type[BaseModel] = Settings
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type):
            return ""
        model = field.annotation
    near = difflib.get_close_matches(str(loc[-1]), model.model_fields, n=1)
    return ".".join([*map(str, loc[:-1]), *near]) if near else ""
