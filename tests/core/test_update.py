"""Updates travel as typed messages: what is sent is what arrives."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core import update as u

pictures = st.builds(u.Picture, index=st.integers(0, 15), width=st.just(2), height=st.just(1),
                     rgb=st.binary(min_size=6, max_size=6))  # fmt: skip
tensors = st.builds(u.Tensor, name=st.text("ab"), index=st.integers(0, 15), shape=st.just((2,)), dtype=st.just("uint8"),
                    data=st.binary(min_size=2, max_size=2))  # fmt: skip
request, words, count = st.text("abc123", min_size=1, max_size=8), st.text("abc", max_size=5), st.integers(0, 100)
several = st.lists(pictures, max_size=3).map(tuple)
updates = st.one_of(
    st.builds(u.Queued, request=request, position=count), st.builds(u.Started, request=request),
    st.builds(u.Preview, request=request, stage=words, step=count, steps=count, images=several),
    st.builds(u.Trace, request=request, stage=words, step=count, tensors=st.lists(tensors, max_size=2).map(tuple)),
    st.builds(u.StageDone, request=request, stage=words),
    st.builds(u.Finished, request=request, images=several, seconds=st.floats(0, 100)),
    st.builds(u.RefusedUpdate, request=request, code=words, why=words),
    st.builds(u.Failed, request=request, code=words, why=words), st.builds(u.Cancelled, request=request),
)  # fmt: skip


@given(updates, st.sampled_from([msgspec.msgpack, msgspec.json]))
def test_an_update_arrives_as_it_was_sent(update, form):
    again = form.decode(form.encode(update), type=u.Update)
    assert again == update
    assert type(again) is type(update)


def test_every_update_has_a_word_of_its_own():
    tags = [kind.__struct_config__.tag for kind in u.Update.__args__]
    assert len(set(tags)) == len(tags)
    assert set(u.FINAL) < set(u.Update.__args__)


@pytest.mark.parametrize("bad", [b'{"type": "gossip", "request": "a"}', b'{"type": "queued", "request": "a"}', b"{}"])
def test_what_is_no_update_is_refused(bad):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(bad, type=u.Update)
