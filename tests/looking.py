"""What every page is held to: no wider than any screen, and axe finds nothing in the light nor in the dark."""

from typing import Any

import pytest

WIDTHS = (320, 390, 768, 1280, 3840)
_OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: what of axe's rules looks at colours: nothing else differs in the dark
_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def fits(page: Any, widths: tuple[int, ...] = WIDTHS) -> None:
    """At no width is there anything to be scrolled to the side."""
    before = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": 740 if width < 900 else width * 9 // 16})
        over = page.evaluate(_OVER)
        assert over <= 0, (page.url, width, over)
    page.set_viewport_size(before)


def accessible(page: Any) -> None:
    """All of axe's rules in the light, those about colours in the dark, too."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme, options in (("light", None), ("dark", _COLOURS)):
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page, options=options)
        assert found.response["violations"] == [], (page.url, scheme, found.generate_report())
    page.emulate_media(color_scheme="light")


def come_in(page: Any, address: str) -> None:
    """Opens a way in (a link for backstage, of a device, a private one) and presses its button."""
    page.goto(address)
    with page.expect_navigation():
        page.locator(".threshold button.draw").click()
