"""CLIP's measures: what counts as found, and that the shipped one knows more than chance."""

import numpy as np

from salon.judge import retrieval
from salon.judge.clip import load_clip


def test_of_equals_the_right_one_comes_last():
    cosines = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.1], [0.2, 0.3, 0.1]], np.float32)
    assert retrieval.hits(cosines, 1, [0, 1, 2]).seen == 1
    assert retrieval.hits(cosines, 2, [0, 1, 2]).seen == 2
    same = np.zeros((3, 3), np.float32)
    assert retrieval.hits(same, 1, [0, 1, 2]).seen == 0  # a tower that says one thing finds none


def test_a_share_comes_with_its_interval():
    told = retrieval.Share(3, 10).told()
    assert (told["rate"], told["n"]) == (0.3, 10)
    assert told["low"] < 0.3 < told["high"]
    assert retrieval.Share(0, 0).told()["n"] == 0


def test_the_shipped_clip_finds_what_belongs_together_and_captions_in_another_order_do_not():
    found, clip = retrieval.unseen(60), load_clip()
    shares = retrieval.retrieval(clip, found)
    assert shares["text_to_image_r1"].seen > 20  # of 60; chance finds one
    moved = retrieval.Unseen(found.images, found.captions[7:] + found.captions[:7], found.scenes)
    assert retrieval.retrieval(clip, moved)["text_to_image_r1"].seen < 10
    assert retrieval.naming(clip, found)["zero_shot_place_top1"].told()["rate"] > 0.3  # of twelve
