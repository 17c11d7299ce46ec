"""GGUF files: the header, and tensors on their way to the GPU."""

from .header import Header, HeaderParser, TensorInfo, join_headers, read_header

__all__ = ["Header", "HeaderParser", "TensorInfo", "join_headers", "read_header"]
