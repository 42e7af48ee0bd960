"""Guidance, thresholding and what networks predict."""

import numpy as np
import pytest

from salon.diffusion.guidance import guide, threshold, within
from salon.diffusion.predictions import exploding, from_denoised, preserving, straight, to_denoised


def arrays(count, seed=0):
    random = np.random.default_rng(seed)
    return [random.standard_normal((3, 4, 5, 5)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("alpha", [straight, preserving, exploding])
@pytest.mark.parametrize("kind", ["epsilon", "sample", "v", "flow"])
def test_every_prediction_gives_x0_back(kind, alpha):
    x0, noise = arrays(2)
    sigma = np.array([0.1, 0.5, 0.9], np.float32)
    a, s = alpha(sigma).reshape(3, 1, 1, 1), sigma.reshape(3, 1, 1, 1)
    sample = a * x0 + s * noise
    truth = {"epsilon": noise, "sample": x0, "v": a * noise - s * x0, "flow": noise - x0}[kind]
    np.testing.assert_allclose(to_denoised(truth, sample, sigma, kind, alpha), x0, atol=1e-4)
    np.testing.assert_allclose(from_denoised(x0, sample, sigma, kind, alpha), truth, atol=1e-4)


def test_unknown_kinds_are_named():
    (x,) = arrays(1)
    for function in (to_denoised, from_denoised):
        with pytest.raises(ValueError, match="score"):
            function(x, x, np.ones(3), "score")


def test_guidance_is_off_at_one_and_each_sample_has_its_own():
    cond, uncond = arrays(2)
    out = guide(cond, uncond, np.array([0.5, 1.0, 3.0], np.float32))
    np.testing.assert_array_equal(out[:2], cond[:2])
    np.testing.assert_allclose(out[2], uncond[2] + 3 * (cond[2] - uncond[2]), rtol=1e-6)
    assert out.dtype == np.float32


def test_interval():
    scale, sigma = np.array([3.0, 3.0, 3.0]), np.array([1.0, 0.5, 0.1])
    assert within(scale, sigma, (0.2, 0.9)).tolist() == [1, 3, 1]
    assert within(scale, sigma, None) is scale


def test_threshold_touches_only_what_burns_and_agrees_with_torch():
    torch = pytest.importorskip("torch")
    (x,) = arrays(1)
    x[0] = np.clip(x[0], -1, 1)
    x[1] *= 5
    out = threshold(x, 0.95)
    np.testing.assert_array_equal(out[0], x[0])
    assert np.abs(out).max() <= 1 + 1e-6
    np.testing.assert_allclose(threshold(torch.from_numpy(x), 0.95).numpy(), out, atol=1e-5)
    most = np.quantile(np.abs(x[1]), 0.95)
    np.testing.assert_allclose(out[1], np.clip(x[1], -most, most) / most, atol=1e-5)
