"""The sockets that the server listens on."""

import asyncio
import socket

from sagedock.local.sockets import listen


def test_an_answer_is_sent_at_once() -> None:
    """Else its body waits until the client acknowledges its head, which clients delay by 40 ms."""

    async def option() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = listen("127.0.0.1", 0)
        async with await asyncio.start_server(answer, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            nodelay = await found
            writer.close()
        return nodelay

    assert asyncio.run(asyncio.wait_for(option(), 10)) != 0
