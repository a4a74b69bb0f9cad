"""The operations that resources have in common: reading one, listing them, changing what is kept, deleting."""

from genvid.sandbox.stripe.list_pages import Filter, page
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def reading(path: str, kind: str) -> Operation:
    return Operation("GET", path + "/{id}", lambda call: call.core.get(kind, call.id))


def readable(path: str, kind: str, *filters: str | Filter) -> list[Operation]:
    """To list those that fit the filters, and to read one, though it may be deleted."""
    return [Operation("GET", path, lambda call: page(call, kind, *filters)), reading(path, kind)]


def updatable(path: str, kind: str, event: str = "") -> Operation:
    """To change the kept parameters and the metadata; without an event nobody is told."""

    def update(call: Call) -> Thing:
        core, found = call.core, call.core.get_existing(kind, call.id)
        return core.change(found, event, **call.updates(found)) if event else core.save(found, **call.updates(found))

    return Operation("POST", path + "/{id}", update)


def deletable(path: str, kind: str, event: str) -> Operation:
    return Operation(
        "DELETE", path + "/{id}", lambda call: call.core.delete(call.core.get_existing(kind, call.id), event)
    )
