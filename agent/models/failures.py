"""A client's exception becomes one of ours: whose fault it is, what to do, and whether it may have been billed."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from agent.models.bounded import TooLargeError, TooSlowError
from agent.types import ModelError, ModelRefused, ModelUnavailable

BEFORE = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"})
"""httpx's exceptions that come before a request is sent."""

WRAPPERS = frozenset({"APIConnectionError", "APITimeoutError", "Timeout"})
"""Of the `openai` client and litellm: what has happened is their cause."""

AGAIN = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which asking again may help."""


NO_KEY = re.compile(r"missing credentials|api[_ ]key", re.IGNORECASE)
"""What a client says that misses a key, with whatever status it makes up."""


@dataclass(frozen=True)
class Place:
    """What was asked, as messages name it."""

    model: str
    url: str
    key_name: str
    seconds: float
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Keys, which no message may show even where a server repeats them."""
    invented: bool = False
    """The client reports its own failures as a status of 500, so that one proves nothing about the bill."""

    def __str__(self) -> str:
        return f"{self.model} at {self.url}"

    def short(self, error: BaseException) -> str:
        """An exception's text on one bounded line, without control characters and keys."""
        text = str(error)[:2000]
        for secret in self.secrets:
            text = text.replace(secret, "***") if len(secret) >= 8 else text
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text[:300] or type(error).__name__


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Raise what the `openai` client (or litellm, which shares its exceptions) raises within as one of ours."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise status(error, place) from error
    except (openai.APIConnectionError, httpx.HTTPError, TooLargeError, TooSlowError) as error:
        raise connection(error, place) from error
    except httpx.InvalidURL as error:
        raise ModelRefused(f"{place.url!r} is no address of a server ({error}): check --base-url") from error
    except openai.APIError as error:
        raise ModelUnavailable(f"{place} answered with something unreadable: {place.short(error)}") from error


def connection(error: Exception, place: Place) -> ModelUnavailable:
    """No whole answer came."""
    wrapped = type(error).__name__ in WRAPPERS and error.__cause__ is not None
    cause = error.__cause__ if wrapped and error.__cause__ is not None else error
    kind = type(cause).__name__
    if isinstance(cause, TooLargeError):
        return ModelUnavailable(f"the answer of {place} is too large: {cause}")
    if kind in BEFORE:
        why = place.short(cause)
        return ModelUnavailable(
            f"{place.url} cannot be reached ({why}): is the address right, and does a server listen there?", usd=0.0
        )
    if isinstance(cause, TooSlowError) or "timeout" in kind.lower():
        return ModelUnavailable(f"{place} gave no whole answer within {place.seconds:g} s")
    return ModelUnavailable(f"the connection to {place} broke before its answer was complete: {place.short(cause)}")


def status(error: Exception, place: Place) -> ModelError:
    """The server answered with an error status; such an answer is not billed."""
    code = int(getattr(error, "status_code", 0) or 0)
    said = place.short(error)
    name = place.key_name
    if not any(place.secrets) and (code in (401, 403) or (place.invented and NO_KEY.search(str(error)))):
        return ModelRefused(f"{place.url} asks for a key and was given none ({said}): set {name} in the environment")
    if code in (401, 403):
        return ModelRefused(
            f"the key in {name} was refused by {place.url} ({said}): set {name} to a key that this server knows"
        )
    if code == 404:
        return ModelRefused(
            f"{place.url} knows no model {place.model!r}, or is no such API ({said}): check --model and --base-url"
        )
    if code == 429 and "insufficient_quota" in str(error):
        return ModelRefused(f"the account behind {place.key_name} at {place.url} has no credit left ({said})")
    if code in AGAIN or code >= 500:
        usd = None if place.invented and code >= 500 else 0.0
        wait = retry_after(_headers(error))
        return ModelUnavailable(f"{place} answered with status {code}: {said}", retry_after=wait, usd=usd)
    return ModelRefused(f"{place} did not take the request, status {code}: {said}")


def _headers(error: Exception) -> Mapping[str, str]:
    told: Mapping[str, str] | None = getattr(error, "litellm_response_headers", None)
    return told or getattr(getattr(error, "response", None), "headers", None) or {}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` (RFC 9110, 10.2.3: seconds or a date) or OpenAI's `retry-after-ms`."""
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        said = headers.get(name, "").strip()
        if said.isascii() and said.replace(".", "", 1).isdigit():
            return float(said) * scale
        date = email.utils.parsedate_tz(said) if said else None
        if date is not None:
            return max(0.0, email.utils.mktime_tz(date) - time.time())
    return None
