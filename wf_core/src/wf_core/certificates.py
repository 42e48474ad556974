"""Why a server's certificate was not accepted, and what to do about it."""

import ssl

RFC_5280 = range(80, 94)
"""OpenSSL's codes (X509_V_ERR_...) of what it refuses in strict mode alone, which is the default
since Python 3.13: certificates that lack an extension which RFC 5280 demands."""

REISSUE = (
    "Python 3.13 and later accept only certificates that follow RFC 5280: issue the CA's again with"
    " basicConstraints (CA:TRUE) and keyUsage (keyCertSign), both critical, and all with subject"
    " and authority key identifiers, or use Python 3.12"
)


def not_accepted(error: BaseException | None) -> str | None:
    """What is wrong with the certificate, if that is why a connection failed; `error` may come
    from a library that has wrapped the reason."""
    while error is not None:
        # aiohttp's error for it is a kind of this one too, but has no reason of its own.
        reason = getattr(error, "verify_message", None)
        if isinstance(error, ssl.SSLCertVerificationError) and reason:
            why = f"its certificate is not accepted: {reason}"
            return f"{why}. {REISSUE}" if error.verify_code in RFC_5280 else why
        error = error.__cause__ or error.__context__
    return None
