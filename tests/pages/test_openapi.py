"""Whatever the API's own document allows, and what it does not, is answered without an error of ours."""

import json
import re
import subprocess
import sys
import urllib.request

import pytest
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis")

CALLS = [
    ("POST", "/api/requests"), ("GET", "/api/requests/{id}"), ("POST", "/api/requests/{id}/cancel"),
    ("GET", "/api/requests/{id}/updates"), ("GET", "/api/models"), ("GET", "/api/words"),
    ("GET", "/api/event"), ("GET", "/api/event/programme"), ("GET", "/api/event/places"),
    ("GET", "/api/event/applications"), ("GET", "/api/event/applications/{id}"), ("GET", "/api/event/check-ins"),
    ("POST", "/api/event/check-ins"),
]  # fmt: skip
TOKEN = """import django; django.setup()
from salon.web.exports.domain import tokens
from salon.web.exports.models import Scope
from salon.web.people.models import User
print(tokens.make(User.objects.create_superuser("schema"), "schemathesis", Scope.values, 1)[1])"""


@pytest.fixture(scope="module")
def schema(house):
    return schemathesis.openapi.from_url(f"{house.url}/api/openapi.json")


@pytest.fixture(scope="module")
def token(house):
    """Of the event's API, with every scope."""
    made = subprocess.run([sys.executable, "-c", TOKEN], env=house.env, capture_output=True, text=True, check=True)
    return made.stdout.split()[-1]


def test_the_document_names_every_call(house):
    from salon.web.exports.urls import urlpatterns as event
    from salon.web.station.urls import urlpatterns

    document = json.load(urllib.request.urlopen(f"{house.url}/api/openapi.json"))
    routes = {f"/{p.pattern}" for p in [*urlpatterns, *event] if str(p.pattern).startswith("api/")}
    routes = {re.sub("<slug:[a-z]+_id>", "{id}", route) for route in routes}
    # the sum for a ticket is one for all forms of the house, so its address is no call's
    assert set(document["paths"]) == routes - {"/api/openapi.json"} | {"/sum"}
    assert document["components"]["schemas"]["Ask"]["properties"]["prompt"]["type"] == "string"


#: what takes nothing cannot be asked wrongly
WAYS = [
    (mode, *call)
    for call in CALLS
    for mode in ("positive", "negative")
    if mode == "positive" or call[1] not in ("/api/models", "/api/event", "/api/event/programme", "/api/event/places")
]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "method", "path"), WAYS)
def test_no_call_ends_in_an_error_of_ours(schema, token, method, path, mode):
    headers = {"Authorization": f"Bearer {token}"} if path.startswith("/api/event") else {}
    operation = schema[path][method]
    strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    unhurried = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=unhurried,
              phases=[Phase.generate])  # fmt: skip
    @given(strategy)
    def ask(case):
        response = case.call(timeout=30, headers=headers)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        if response.status_code >= 400:
            assert set(response.json()) == {"code", "message", "hint"}

    ask()
