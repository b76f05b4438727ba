"""The process that holds the model: `python -m sagedock.runtime.serving.worker`.

``__main__``       load, then answer batches; ``loading`` is how
``channel``        its end of the socket pair
``user_code``      the user's functions; ``defaults`` stands for those that are not there
``model``          a loaded model, and what it answers
``conversation``   a bidirectional stream: messages in, messages out
``context``        what a function may ask about its request
``content_types``  what clients send and accept; ``formats`` reads and writes them
``model_files``    models that need no code; ``onnx`` where onnxruntime is installed
``refused``        errors, as clients may see them
"""
