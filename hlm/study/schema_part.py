"""What every mapping of the study file is: without unknown keys, without conversion of types."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from hlm.study.messages import with_unknown_keys

__all__ = ["Part"]


class Part(BaseModel):
    """A mapping of the file, without unknown keys and without conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    synonyms: ClassVar[dict[str, str]] = {}
    """Other names that a user may give keys."""

    of_data: ClassVar[tuple[str, ...]] = ()
    """The keys that name data which give the others; once these are filled in they are gone."""

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say which keys there are; a key that is missing because it is misspelt is said once."""
        try:
            return handler(data)
        except ValidationError as error:
            raise with_unknown_keys(error, cls.known_keys(), cls.synonyms) from None

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys that there are."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def varied_keys(cls) -> list[str]:
        """Return those that a grid may vary: not those that name data."""
        return [key for key in cls.known_keys() if key not in cls.of_data]

    def varied(self) -> dict[str, Any]:
        """Return the values that a grid may vary, defaults filled in."""
        values = self.model_dump(by_alias=True)
        return {key: values[key] for key in self.varied_keys()}
