"""What a downloaded picture is called (the words themselves: core/test_names.py)."""

import re
from urllib.parse import unquote

import pytest
from register import draw, house  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db


def test_a_picture_is_downloaded_under_its_prompts_own_letters(client, draw, settings, tmp_path):  # noqa: F811
    settings.MEDIA_ROOT = tmp_path
    image = draw(prompt="赤い狐")
    said = client.get(f"/images/{image.id}.png?download")["Content-Disposition"]
    plain, own = re.fullmatch(r"""attachment; filename="([^"]+)"; filename\*=UTF-8''(\S+)""", said).groups()
    assert (plain, unquote(own)) == (f"image-0-{image.id[:8]}.png", f"赤い狐-0-{image.id[:8]}.png")
    assert client.get(f"/images/{image.id}.png")["Content-Disposition"].startswith("inline; ")
