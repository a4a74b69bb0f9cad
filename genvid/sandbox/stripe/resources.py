"""Operations that resources have in common: read, list, update, delete."""

from genvid.sandbox.stripe.list_pages import Filter, page
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def reading(path: str, kind: str) -> Operation:
    return Operation("GET", path + "/{id}", lambda call: call.core.get(kind, call.id))


def readable(path: str, kind: str, *filters: str | Filter) -> list[Operation]:
    return [Operation("GET", path, lambda call: page(call, kind, *filters)), reading(path, kind)]


def updatable(path: str, kind: str, event: str = "") -> Operation:
    """An operation that changes the kept parameters and the metadata. Without an event none is sent."""

    def update(call: Call) -> Json:
        core, found = call.core, call.core.get_existing(kind, call.id)
        return core.change(found, event, **call.updates(found)) if event else core.save(found, **call.updates(found))

    return Operation("POST", path + "/{id}", update)


def deletable(path: str, kind: str, event: str) -> Operation:
    return Operation(
        "DELETE", path + "/{id}", lambda call: call.core.delete(call.core.get_existing(kind, call.id), event)
    )
