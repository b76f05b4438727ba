"""A function that Lambda steps of the clients' pipelines call."""


def handler(event, context):
    """Return twice the number, and what was said of it."""
    return {"doubled": 2 * event["number"], "said": f"{event['size']} by {context.function_name}"}
