"""Prefill: `stream` takes frames in groups as they come, `chunked` fills the cache chunk by chunk."""
