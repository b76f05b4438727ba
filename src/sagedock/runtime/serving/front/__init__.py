"""The serving contract over HTTP, before the pool.

``application``  the routes, as ASGI; ``server`` is the uvicorn before it
``conversations`` are bidirectional streams, over WebSockets
``access_log``   a line for each request; ``metrics`` their numbers
"""
