"""A profile while it is edited: anything may stand in it, and the server's own rules say what is wrong with it."""

from __future__ import annotations

from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from demo_app.server.models import Person, PersonChanges, Role, messages_by_field


class Draft(BaseModel):
    """What the form shows, as it was typed."""

    model_config = ConfigDict(frozen=True)

    name: str
    email: str
    title: str
    role: Role
    bio: str
    mentions: bool
    public: bool

    @classmethod
    def of(cls, person: Person) -> Draft:
        """Give the draft in which nothing was changed yet."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})

    def faults(self) -> dict[str, str]:
        """Say what is wrong, by field; empty if everything is fine."""
        faults: dict[str, str] = {}
        for name, value in self:
            try:
                _RULES[name].validate_python(value)
            except ValidationError as error:
                faults[name] = messages_by_field(error)[""]
        return faults

    def changes(self, stored: Person) -> dict[str, Any]:
        """Give the fields that differ from ``stored``, as the server would keep them; a faulty one as it was typed."""
        kept = {name: _as_kept(name, value) for name, value in self}
        return {name: value for name, value in kept.items() if value != getattr(stored, name)}

    def request(self, base: Person) -> PersonChanges:
        """Give what to send: the changed fields only, so that what others changed elsewhere in the person stays.

        Raises
        ------
        pydantic.ValidationError
            Something is wrong with a field.
        """
        return PersonChanges(version=base.version, **self.changes(base))

    def after_saving(self, sent: Draft, stored: Person) -> Draft:
        """Give this draft after ``sent`` was stored: what was typed since then stays, the rest is as stored."""
        typed = {name: value for name, value in self if value != getattr(sent, name)}
        return Draft.of(stored).model_copy(update=typed)

    def moved(self, base: Person, to: Person) -> Draft:
        """Give a draft that changes in ``to`` what this one changes in ``base``, and nothing else."""
        return Draft.of(to).model_copy(update=self.changes(base))


_HINTS = get_type_hints(Person, include_extras=True)
_RULES: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(_HINTS[name]) for name in Draft.model_fields}
"""The rule of each field, which is the one that the server has in its model of a person."""


def _as_kept(name: str, value: object) -> object:
    try:
        return _RULES[name].validate_python(value)
    except ValidationError:
        return value
