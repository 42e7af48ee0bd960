"""`salon run --lan --https`: the venue's network, a certificate of the house's own, addresses that phones can use."""

import http.client
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import time

import pytest
from cryptography import x509

from salon.desk.certificate import certificate_for
from salon.desk.house import network_address

LONG = 180


@pytest.fixture(scope="module")
def lan(tmp_path_factory):
    """(port, home, what it printed) of a house without models."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "weights").mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith("SALON_")}
    env |= {"SALON_HOME": str(home), "SALON_WEIGHTS": str(home / "weights")}
    words = [sys.executable, "-m", "salon", "run", "--lan", "--https", "--port", str(port)]
    with (home / "said").open("w") as said:
        process = subprocess.Popen(words, env=env, stdout=said, stderr=subprocess.STDOUT)
    end = time.monotonic() + LONG
    while "On this network" not in (home / "said").read_text():
        assert process.poll() is None, (home / "said").read_text()
        assert time.monotonic() < end
        time.sleep(0.05)
    yield port, home, (home / "said").read_text()
    process.terminate()
    process.wait(LONG)


def get(port, path, context, method="GET", **headers):
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=LONG, context=context)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def test_the_certificate_is_good_for_whoever_trusts_it(lan):
    port, home, said = lan
    trusting = ssl.create_default_context(cafile=str(home / "tls/cert.pem"))
    assert get(port, "/healthz", trusting)[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):  # the control: a stranger is warned
        get(port, "/healthz", ssl.create_default_context())
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    plain.request("GET", "/healthz")
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.getresponse()
    assert stat.S_IMODE((home / "tls/key.pem").stat().st_mode) == 0o600
    assert f"https://{network_address()}:{port}" in said


def test_others_are_told_an_address_that_they_can_reach(lan):
    """The wall that asks at 127.0.0.1 tells the address on the network; cookies are for HTTPS only."""
    port, home, said = lan
    trusting = ssl.create_default_context(cafile=str(home / "tls/cert.pem"))
    _, page, _ = get(port, "/wall", trusting)
    assert f"https://{network_address()}:{port}/station".encode() in page
    path = re.search(r"(/backstage/enter/\S+)", said)[1]
    status, _, headers = get(port, path, trusting)
    assert (status, headers["Set-Cookie"]) == (200, None), "looking changes nothing"
    status, _, headers = get(port, path, trusting, "POST")
    assert status == 302
    assert "Secure" in headers["Set-Cookie"]
    # what the house writes down of a link that was used, and of one that never was: not its token
    assert get(port, path, trusting)[0] == get(port, "/you/guessed-token", trusting)[0] == 403
    written = (home / "said").read_text()
    assert "Forbidden: /backstage/enter/…" in written
    assert "Forbidden: /you/…" in written
    assert written.count(path) == 1, "where it was printed, to be used"
    assert "guessed-token" not in written


def test_a_certificate_is_kept_until_the_addresses_change(tmp_path):
    def made(*names):
        return certificate_for(tmp_path, list(names))[0].read_bytes()

    first = made("127.0.0.1", "salon.local")
    assert made("127.0.0.1") == first
    second = made("127.0.0.1", "192.0.2.7")
    assert second != first
    (tmp_path / "tls/cert.pem").write_text("damaged")
    third = made("127.0.0.1")
    told = x509.load_pem_x509_certificate(third).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(a) for a in told.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
