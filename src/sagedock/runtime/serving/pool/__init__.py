"""Requests in, answers out, over processes that hold the model. Nothing here knows of HTTP.

``pool``         the queue before the workers, and their care
``worker_link``  one worker, as the front sees it; ``process`` starts it
``frames``       what both say to each other
``messages``     what a worker says in a bidirectional stream
``work``         one request and its answer; ``refusals`` are answers without a prediction
"""
