"""A request's body, read already, handed on to another application."""

import asyncio

from starlette.types import Message, Receive

__all__ = ["replay"]


def replay(body: bytes) -> Receive:
    """Return what gives another application ``body`` as if it had come just now."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return receive
