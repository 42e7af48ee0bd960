"""The house's cookies, in one place: scripts read none, other sites lend none, and over TLS none is sent in clear.

Whoever keeps a cookie that says who somebody is, or what they chose, declares it `personal`: a booth forgets those.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

#: name -> path
_personal: dict[str, str] = {}
#: a TLS proxy on this machine that does not pass the name on asks for one of these
_OWN_MACHINE = ("127.0.0.1", "localhost", "[::1]")


def personal(name: str, path: str = "/") -> str:
    """Declares a cookie that the next person at a booth must not find; its name."""
    _personal[name] = path
    return name


def keep(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Makes the browser remember `value`."""
    path = _personal.get(name, "/")
    response.set_cookie(name, value, max_age=seconds, path=path, httponly=True, samesite="Lax")


def drop(response: HttpResponse, name: str) -> None:
    """Makes the browser forget it."""
    response.delete_cookie(name, path=_personal.get(name, "/"))


def forget(response: HttpResponse) -> None:
    """Makes the browser forget whose it was, in every room."""
    for name in _personal:
        drop(response, name)


def over_tls(request: HttpRequest) -> bool:
    """Whether the browser reached the house by TLS, its own or a proxy's. Whoever forges the header gets cookies that
    are kept more closely, no more. A booth that comes by the venue's network past the proxy keeps its cookies."""
    if request.is_secure() or request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip() == "https":
        return True
    public = urlsplit(settings.PUBLIC_URL)
    asked = split_domain_port(request.headers.get("Host", ""))[0]
    return public.scheme == "https" and asked in (public.hostname, *_OWN_MACHINE)


def seal(request: HttpRequest, response: HttpResponse) -> None:
    """Marks the answer's cookies Secure where that is true, the session's, too."""
    if response.cookies and over_tls(request):
        for cookie in response.cookies.values():
            cookie["secure"] = True
