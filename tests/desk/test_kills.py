"""Kill what lives, again and again, while works are proposed, hung, pulled and reported: what was answered holds."""

import random
import re
import signal
import threading

import pytest

#: two blows at once would open two houses in one folder
_one_blow = threading.Lock()


def strike(house, target):
    """Kills one part, or all at once, and has the house up again."""
    with _one_blow:
        if target in ("engine", "web"):
            house.kill({"engine": "salon.engine.service", "web": "salon.web.serve"}[target])
            return
        house.close(signal.SIGKILL)
        house.open()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_what_was_answered_holds_whatever_is_killed(new_house, seed):
    house = new_house(SALON_PROPOSALS_PER_VISITOR="100")
    chance, visitor, maker, back = random.Random(seed), house.visitor(), house.browser(), house.curator()
    hung, pulled, waiting = {}, set(), {}
    for number, target in enumerate(["engine", "web", "desk", "web", "engine", "desk"]):
        request = visitor.ask(f"a red fox number {number}", count=2)
        maker.cookies["salon_ticket"] = visitor.ticket
        blow = threading.Timer(chance.random() * 0.4, strike, (house, target))
        blow.start()  # somewhere in what follows
        images = visitor.finish(request)["images"]
        for image in images:
            title = f"Work {image['id'][:8]}"
            status, _ = maker.insist("POST", f"{image['url']}/hang", {"title": title, "may_show": "1"})
            assert status in (200, 302), status
            waiting[title] = image["id"]
        assert maker.insist("POST", f"{images[0]['url']}/report", {"failure": "other", "target": "none"})[0] in (
            200,
            422,
        )
        strike(house, target)
        page = back.insist("GET", "/backstage")[1]
        for work, title in re.findall(r'id="([0-9a-f]{32})">.*?<h3[^>]*>(Work \w+)</h3>', page, re.S):
            if chance.random() < 0.7:
                # a kill may come between the deed and its answer: then the second try is told that it is done
                assert back.insist("POST", f"/backstage/works/{work}/approved", {})[0] in (302, 409)
                hung[work] = title
                waiting.pop(title)
        if hung and chance.random() < 0.5:
            work = chance.choice(sorted(hung))
            assert back.insist("POST", f"/backstage/works/{work}/pulled", {})[0] in (302, 409)
            pulled.add(work)
            hung.pop(work)
        blow.join()
    shown = {w["id"]: w["title"] for w in visitor.get("/wall/works.json")[1]["works"]}
    assert shown == hung
    for work in hung:
        assert maker.insist("GET", f"/works/{work}.png")[0] == 200
    for work in pulled:
        assert maker.insist("GET", f"/works/{work}.png")[0] == 404
    inbox = re.findall(r"<h3[^>]*>(Work \w+)</h3>", back.insist("GET", "/backstage")[1])
    assert sorted(inbox) == sorted(waiting), "each proposal once, none lost"
