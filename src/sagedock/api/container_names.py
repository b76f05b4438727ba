"""What the service calls the containers of an instance, in refusals, reasons and logs.

Sources: rows 69, 74 and 82 of the fidelity corpus' page "the rest", which are newer than those that
say "model"; aws/amazon-sagemaker-examples#1072 for those of several.
"""

__all__ = ["PRIMARY", "numbered"]

#: The only one.
PRIMARY = "primary"


def numbered(number: int) -> str:
    """Return the name of one of several that has none of its own; the first is number 1."""
    return f"container-{number}"
