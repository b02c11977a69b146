"""Finding what must be hidden in pictures. Only `session` imports onnxruntime."""
