"""Inference components: models with copies of their own, beside others on an endpoint's instances.

The control plane: ``operations``, about what the ``document`` says; ``tenants`` finds what is on an
endpoint, ``placing`` its room. ``components`` has those that live, ``component`` is one: its copies
are the instances of a fleet, made at a ``site`` of their own by its ``deployment``. ``choosing``
picks the copy that a request goes to, ``scaled`` is how autoscaling sees copies, ``usage`` what
they use.
"""
