"""The formats of strings that JSON schemas name, as regular expressions.

Each is what a strict reader of the format takes, and of that what is usual: years from 1000 to 2999, names of hosts of
at most four parts.
"""

from __future__ import annotations

_DATE = (
    r"[12]\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
    r"|(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)-02-29"
)
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_CLOCK = r"T(?:\d{1,4}H(?:\d{1,4}M(?:\d{1,4}S)?)?|\d{1,4}M(?:\d{1,4}S)?|\d{1,4}S)"
_DAYS = r"(?:\d{1,4}Y(?:\d{1,4}M(?:\d{1,4}D)?)?|\d{1,4}M(?:\d{1,4}D)?|\d{1,4}D)"
_LABEL = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,15}"
_HOST = rf"(?:{_LABEL}\.){{0,3}}[A-Za-z](?:-?[A-Za-z0-9]){{0,15}}"
_EMAIL = rf"[A-Za-z0-9](?:[._+-]?[A-Za-z0-9]){{0,31}}@(?:{_LABEL}\.){{1,3}}[A-Za-z]{{2,12}}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = r"[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    [
        rf"(?:{_GROUP}:){{7}}{_GROUP}",
        *(rf"(?:{_GROUP}:){{{count}}}(?::{_GROUP}){{1,{7 - count}}}" for count in range(1, 7)),
        rf"(?:{_GROUP}:){{1,7}}:",
        rf":(?:(?::{_GROUP}){{1,7}}|:)",
    ]
)
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_AFTER = rf"(?:/{_PATH}*)*(?:\?(?:{_PATH}|[/?])*)?(?:#(?:{_PATH}|[/?])*)?"
_URI = rf"(?:https?|ftp)://{_HOST}(?::[1-9]\d{{0,3}})?{_AFTER}"
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"

FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": rf"(?:{_DATE})T{_TIME}",
    "duration": rf"P(?:\d{{1,4}}W|{_DAYS}(?:{_CLOCK})?|{_CLOCK})",
    "email": _EMAIL,
    "idn-email": _EMAIL,
    "hostname": _HOST,
    "idn-hostname": _HOST,
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "uuid": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "uri": _URI,
    "iri": _URI,
    "uri-reference": rf"{_URI}|{_AFTER}",
    "iri-reference": rf"{_URI}|{_AFTER}",
    "json-pointer": _POINTER,
    "relative-json-pointer": rf"(?:0|[1-9]\d{{0,3}})(?:#|{_POINTER})",
    "byte": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
"""By the name of a format, a regular expression that matches the whole string."""

FREE = {"password", "binary", "path", "file-path", "directory-path", "float", "double", "int64", "decimal"}
"""Formats that say how a value is used, not how it is written."""
