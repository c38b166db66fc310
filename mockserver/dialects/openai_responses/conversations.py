"""Conversations that a client keeps on the server. Pure.

Source: https://platform.openai.com/docs/api-reference/conversations, and the types of the SDK
``openai``.
"""

from __future__ import annotations

from mockserver.cassettes.cassette import Response
from mockserver.dialects.openai_responses.items import items_of, kept, page
from mockserver.dialects.openai_responses.stored import (
    Conversation,
    extend,
    find_conversation,
)
from mockserver.dialects.openai_writing import CREATED, request_headers
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import compact, digest, whole
from mockserver.vocabulary.model import Json, JsonObject

#: The most items that one request adds.
_MOST = 20


def _create(side: Side) -> Response:
    body = body_of(side.request) if side.request.body else {}
    memory = side.desk.memory
    id_ = "conv_" + digest("conversation", memory.count, body, length=48)
    conversation = Conversation(id_, body.get("metadata") or {})
    extend(conversation, _new_items(conversation, body), memory)
    return _answer(side, _object(conversation))


def _retrieve(side: Side) -> Response:
    return _answer(side, _object(_found(side)))


def _update(side: Side) -> Response:
    conversation = _found(side)
    conversation.metadata = body_of(side.request).get("metadata") or {}
    return _answer(side, _object(conversation))


def _delete(side: Side) -> Response:
    conversation = _found(side)
    side.desk.memory.forget(conversation.id)
    deleted = {"id": conversation.id, "object": "conversation.deleted", "deleted": True}
    return _answer(side, deleted)


def _list(side: Side) -> Response:
    return _answer(side, page(side, _found(side).items))


def _add(side: Side) -> Response:
    conversation = _found(side)
    items = _new_items(conversation, body_of(side.request))
    extend(conversation, items, side.desk.memory)
    first, last = (items[0]["id"], items[-1]["id"]) if items else (None, None)
    listed = {"object": "list", "data": items, "first_id": first, "last_id": last}
    return _answer(side, {**listed, "has_more": False})


def _one_item(side: Side) -> Response:
    return _answer(side, _item(side, _found(side)))


def _delete_item(side: Side) -> Response:
    conversation = _found(side)
    item = _item(side, conversation)
    conversation.items.remove(item)
    conversation.size -= len(compact(item))
    extend(conversation, (), side.desk.memory)
    return _answer(side, _object(conversation))


def _found(side: Side) -> Conversation:
    return find_conversation(side.named[0], side.desk.memory)


def _item(side: Side, conversation: Conversation) -> JsonObject:
    id_ = side.named[1]
    for item in conversation.items:
        if item["id"] == id_:
            return item
    raise refused(f"Item with id '{id_}' not found.", status=404)


def _new_items(conversation: Conversation, body: JsonObject) -> list[JsonObject]:
    items = items_of(body.get("items"))
    if len(items) > _MOST or not all(isinstance(item, dict) for item in items):
        raise refused(f"items are a list of at most {_MOST} objects", param="items")
    before = len(conversation.items)
    return [kept(item, conversation.id, before + number) for number, item in enumerate(items)]


def _object(conversation: Conversation) -> JsonObject:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": CREATED,
        "metadata": conversation.metadata,
    }


def _answer(side: Side, value: Json) -> Response:
    request = side.request
    return whole(value, headers=request_headers(request.uri, request.body.decode(errors="replace")))


ROUTES = (
    SideRoute("POST", "/conversations", _create),
    SideRoute("GET", "/conversations/{conversation}", _retrieve),
    SideRoute("POST", "/conversations/{conversation}", _update),
    SideRoute("DELETE", "/conversations/{conversation}", _delete),
    SideRoute("GET", "/conversations/{conversation}/items", _list),
    SideRoute("POST", "/conversations/{conversation}/items", _add),
    SideRoute("GET", "/conversations/{conversation}/items/{item}", _one_item),
    SideRoute("DELETE", "/conversations/{conversation}/items/{item}", _delete_item),
)
