"""The token family: drawing step by step is what was taught at once, and choosing is what the field means by it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from salon.core.recipe import TokenOptions
from salon.engine.families.vq import CELLS, choose, company, restrict
from salon.nets.painter import Painter
from salon.nets.tokenizer import Codebooks, DecodeTokens, EncodeTokens, Tokenizer

FREE = TokenOptions(guidance_scale=1.0, temperature=1.0, top_k=0, top_p=1.0)


def rows(size=12):
    return st.lists(st.floats(-8, 8, width=32), min_size=size, max_size=size).map(lambda r: np.array(r, np.float32))


@settings(max_examples=60, deadline=None)
@given(rows(), st.integers(0, 14), st.floats(0.01, 1.0))
def test_top_k_and_top_p_keep_what_transformers_keeps(logits, top_k, top_p):
    from transformers import TopKLogitsWarper, TopPLogitsWarper

    if len(set(logits.tolist())) < len(logits):
        return  # of equal ones it is free which stays
    ours = restrict(logits, min(top_k, len(logits)), top_p)
    theirs = torch.from_numpy(logits.copy())[None]
    if 0 < top_k < len(logits):
        theirs = TopKLogitsWarper(top_k)(None, theirs)
    # theirs counts the nucleus among what top-k left, ours among all: the same where either is off
    if top_p < 1 and not 0 < top_k < len(logits):
        theirs = TopPLogitsWarper(top_p)(None, theirs)
    elif top_p < 1:
        return
    assert np.isfinite(ours).tolist() == np.isfinite(theirs[0].numpy()).tolist()


@settings(max_examples=60, deadline=None)
@given(rows(), st.integers(0, 2**32 - 1))
def test_cold_narrow_and_tiny_nuclei_all_take_the_likeliest(logits, seed):
    best = int(logits.argmax())
    assert choose(logits, TokenOptions(guidance_scale=1, temperature=0, top_k=0, top_p=1), seed, 3) == best
    assert (
        logits[choose(logits, TokenOptions(guidance_scale=1, temperature=1, top_k=1, top_p=1), seed, 3)] == logits[best]
    )
    assert (
        logits[choose(logits, TokenOptions(guidance_scale=1, temperature=1, top_k=0, top_p=1e-6), seed, 3)]
        == logits[best]
    )


def test_free_choice_follows_the_probabilities_and_hot_choice_flattens_them():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    drawn = np.bincount([choose(logits, FREE, seed, 0) for seed in range(4000)], minlength=4) / 4000
    assert np.abs(drawn - [0.5, 0.3, 0.15, 0.05]).max() < 0.03
    hot = TokenOptions(guidance_scale=1.0, temperature=10.0, top_k=0, top_p=1.0)
    flat = np.bincount([choose(logits, hot, seed, 0) for seed in range(4000)], minlength=4) / 4000
    assert flat.min() > 0.18


def net():
    torch.manual_seed(0)
    found = Painter(codes=32, width=64, depth=2)
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return found.eval()


@torch.no_grad()
def test_step_by_step_is_what_is_taught_all_at_once():
    painter = net()
    codes = torch.randint(0, 32, (2, 2 * CELLS))
    embeds, mask = torch.randn(2, 7, 384), torch.ones(2, 7).long()
    mask[1, 4:] = 0
    taught = painter(codes, embeds, mask)
    bias, signal, *text = painter.reading(embeds, mask)
    past, before, worst = painter.memory(2), torch.full((2,), 64), 0.0
    for place in range(2 * CELLS):
        rough = codes[:, place - CELLS] if place >= CELLS else torch.full((2,), -1)
        logits, new, _ = painter.step(before, rough, torch.full((2,), place), bias, signal, *past, *text)
        for kept, fresh in zip(past, new.unbind(1)):
            kept[:, :, place] = fresh
        worst = max(worst, float((logits - taught[:, place]).abs().max()))
        before = codes[:, place] + place // CELLS * 32
    assert worst < 1e-4 * float(taught.std()) + 1e-4


@torch.no_grad()
def test_no_code_sees_what_comes_after_it():
    painter = net()
    codes = torch.randint(0, 32, (1, 2 * CELLS))
    embeds, mask = torch.randn(1, 5, 384), torch.ones(1, 5).long()
    before = painter(codes, embeds, mask)
    changed = codes.clone()
    changed[:, 70:] = (changed[:, 70:] + 1) % 32
    after = painter(changed, embeds, mask)
    assert torch.equal(before[:, :71], after[:, :71])
    assert not torch.allclose(before[:, 71:], after[:, 71:])


def alone(stage, recipes):
    states = stage.begin(recipes, [None] * len(recipes))
    while states[0].step < states[0].steps:
        states = stage.step(states)
    return [state.codes for state in states]


@pytest.mark.parametrize("where", ["registry", "real"])
def test_token_for_token_the_same_alone_and_in_company_at_other_places(where, request, ask):
    """Of the tiny painter, and of the one that ships."""
    registry = request.getfixturevalue(where)
    stage = registry.load("vq").stages[0]
    recipes = ask(registry, "vq", seeds=(1, 2, 3, 4, 5), prompt="a red apple on the grass").recipes
    wanted = [alone(stage, [recipe])[0] for recipe in recipes]
    assert all((a == b).all() for a, b in zip(wanted, alone(stage, recipes)))
    states, left, found, turn = [], list(enumerate(recipes)), {}, 0
    while len(found) < len(recipes):
        if left and turn % 17 == 0:  # somebody joins
            index, recipe = left.pop(0)
            states.append((index, stage.begin([recipe], [None])[0]))
        turn += 1
        moved = stage.step([state for _, state in states])
        states = [(index, state) for (index, _), state in zip(states, moved)]
        found |= {index: state.codes for index, state in states if state.step == state.steps}
        states = [(index, state) for index, state in states if state.step < state.steps]  # somebody leaves
        states.reverse()
    assert all((found[i] == codes).all() for i, codes in enumerate(wanted))


def test_the_memory_matters_and_belongs_to_its_picture(registry, ask):
    """Control of the test above: with the rows of two pictures exchanged other codes come out."""
    from dataclasses import replace

    stage = registry.load("vq").stages[0]
    cold = {"temperature": 1.0, "top_k": 0, "guidance_scale": 3.0}
    recipes = ask(registry, "vq", seeds=(1, 2), **cold).recipes
    wanted = alone(stage, recipes)
    states = stage.begin(recipes, [None, None])
    for _ in range(40):
        states = stage.step(states)
    first, second = company(states)
    for array in first.memory.arrays.values():
        array[[*first.at, *second.at]] = array[[*second.at, *first.at]] * 3
    states = [first, second]
    while states[0].step < states[0].steps:
        states = stage.step([replace(s) for s in states])
    assert any((state.codes != codes).any() for state, codes in zip(states, wanted))


def test_a_step_taken_again_gives_the_same(registry, ask):
    """The runner takes a turn again when a neighbour's request was at fault."""
    stage = registry.load("vq").stages[0]
    states = stage.begin(ask(registry, "vq", seeds=(1, 2)).recipes, [None, None])
    for _ in range(5):
        states = stage.step(states)
    once = stage.step(states)
    again = [stage.step([state])[0] for state in states]
    assert all((a.codes == b.codes).all() for a, b in zip(once, again))
    after, after_again = stage.step(once), [stage.step([state])[0] for state in again]
    assert all((a.codes == b.codes).all() for a, b in zip(after, after_again))


def test_trace_says_where_it_looked_and_what_it_might_have_drawn(registry, ask):
    stage = registry.load("vq").stages[0]
    inner: dict[str, np.ndarray] = {}
    stage.step(stage.begin(ask(registry, "vq", seeds=(1, 2)).recipes, [None, None]), inner)
    assert inner["logits"].shape == (2, 32)
    assert inner["cross_attention"].shape[:2] == (2, 2)
    assert np.allclose(inner["cross_attention"].sum(-1), 1, atol=1e-5)


@torch.no_grad()
def test_codes_come_back_from_the_pictures_they_make_and_rough_ones_alone_make_a_picture():
    torch.manual_seed(0)
    tokenizer = Tokenizer(codes=16, channels=4, encoder_width=16, decoder_width=16).eval()
    pictures = torch.randn(3, 3, 64, 64).clamp(-1, 1)
    codes = EncodeTokens(tokenizer)(pictures)
    whole, _, picks = tokenizer(pictures)
    assert torch.equal(codes, picks.reshape(2, 3, 64).transpose(0, 1))
    assert torch.allclose(DecodeTokens(tokenizer)(codes), whole, atol=1e-5)
    rough = codes.clone()
    rough[:, 1] = -1
    keep = torch.tensor([[1.0, 0.0]]).repeat(3, 1)
    assert torch.allclose(DecodeTokens(tokenizer)(rough), tokenizer(pictures, keep)[0], atol=1e-5)


def test_codes_move_to_what_they_stand_for_and_the_second_level_refines():
    torch.manual_seed(0)
    centres = torch.randn(8, 4) * 3
    cells = centres[torch.randint(0, 8, (4000,))] + torch.randn(4000, 4) * 0.1
    books = Codebooks(2, 8, 4).train()
    for start in range(0, 4000, 200):
        books(cells[start : start + 200])
    for _ in range(60):
        books(cells[torch.randint(0, 4000, (200,))])
    added, _ = books.eval()(cells)
    first = (cells - added[0]).square().mean()
    both = (cells - added.sum(0)).square().mean()
    assert both < first < 0.5 * cells.var()
