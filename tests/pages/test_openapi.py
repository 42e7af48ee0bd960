"""Whatever the API's own document allows, and what it does not, is answered without an error of ours."""

import json
import urllib.request

import pytest
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis")

CALLS = [
    ("POST", "/api/requests"), ("GET", "/api/requests/{id}"), ("POST", "/api/requests/{id}/cancel"),
    ("GET", "/api/requests/{id}/updates"), ("GET", "/api/models"), ("GET", "/api/words"),
]  # fmt: skip


@pytest.fixture(scope="module")
def schema(house):
    return schemathesis.openapi.from_url(f"{house.url}/api/openapi.json")


def test_the_document_names_every_call(house):
    from salon.web.station.urls import urlpatterns

    document = json.load(urllib.request.urlopen(f"{house.url}/api/openapi.json"))
    routes = {f"/{p.pattern}".replace("<slug:request_id>", "{id}") for p in urlpatterns if "api/" in str(p.pattern)}
    assert set(document["paths"]) == routes - {"/api/openapi.json"}
    assert document["components"]["schemas"]["Ask"]["properties"]["prompt"]["type"] == "string"


#: what takes nothing cannot be asked wrongly
WAYS = [
    (mode, *call)
    for call in CALLS
    for mode in ("positive", "negative")
    if (mode, call[1]) != ("negative", "/api/models")
]


@pytest.mark.parametrize(("mode", "method", "path"), WAYS)
def test_no_call_ends_in_an_error_of_ours(schema, method, path, mode):
    operation = schema[path][method]
    strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    unhurried = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=unhurried,
              phases=[Phase.generate])  # fmt: skip
    @given(strategy)
    def ask(case):
        response = case.call(timeout=30)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        if response.status_code >= 400:
            assert set(response.json()) == {"code", "message", "hint"}

    ask()
