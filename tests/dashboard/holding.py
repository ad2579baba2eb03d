"""What is still held of objects that were made."""

import weakref


def remembered(monkeypatch, module, name: str) -> list[weakref.ref]:
    """A list that fills with one for each object that `module` makes of its class `name`."""
    made, kind = [], getattr(module, name)

    def make(*given, **named):
        one = kind(*given, **named)
        made.append(weakref.ref(one))
        return one

    monkeypatch.setattr(module, name, make)
    return made
