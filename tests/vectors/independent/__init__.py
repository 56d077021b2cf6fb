"""A second implementation of the specification's §3 and §4, written from its text and the RFCs alone.

It shares no line with the first: Python's integers, the standard library, and `cryptography` for AES-GCM and HKDF. It is
slow and not constant in time; it checks, and is good for nothing else.
"""
