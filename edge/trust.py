"""Whom the edge believes when it calls the cloud over HTTPS, and whether that works."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp

from plumbing.tls import TlsFiles, client_context

ANSWER_S = 5.0


def trust_of_cloud(ca: Path | None) -> ssl.SSLContext | bool:
    """Only the authority in *ca*; without one, those of the system. Raises OSError (ssl.SSLError among them)."""
    return client_context(TlsFiles(ca)) if ca else True


async def trouble(url: str, ca: Path | None) -> str:
    """Why the cloud at *url* cannot be asked anything over HTTPS, "" when it can."""
    try:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url.rstrip('/')}/healthz", ssl=trust_of_cloud(ca)) as answer,
        ):
            return "" if answer.status == 200 else str(answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        return str(exc) or type(exc).__name__
