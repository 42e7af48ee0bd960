"""Samplers against diffusers' schedulers, each sample at its own position, NumPy and torch alike."""

import itertools

import numpy as np
import pytest

from salon.diffusion.arrays import expand
from salon.diffusion.predictions import exploding, preserving, straight, to_denoised
from salon.diffusion.samplers import SAMPLERS, STOCHASTIC, SamplerState, begin, dpmpp_2m, euler, euler_ancestral
from salon.diffusion.schedules import CosineSchedule, FlowSchedule, scaled_linear_betas

diffusers = pytest.importorskip("diffusers")
torch = pytest.importorskip("torch")

SHAPE = (3, 4, 8, 8)


def noise_of(seed):
    return np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)


def network(sample, level):
    """Any smooth function of the sample and its level will do as a network."""
    return np.tanh(sample * 0.7 + level) * (0.5 + level) if isinstance(sample, np.ndarray) else None


def ours(sampler, sigmas, start, kind, alpha, noises=None):
    """The whole path by our sampler, network included; `sigmas` [n+1]."""
    state = begin(start)
    for i, (now, after) in enumerate(itertools.pairwise(sigmas)):
        sigma, sigma_next = np.full(len(start), now, np.float32), np.full(len(start), after, np.float32)
        denoised = to_denoised(network(state.sample, now), state.sample, sigma, kind, alpha)
        state = sampler(state, sigma, sigma_next, denoised, None if noises is None else noises[i], alpha)
    return state.sample


def theirs(scheduler, sigmas, start, scale=lambda x, i: x, **more):
    """The same path by a diffusers scheduler; the network sees our kind of sample and level."""
    sample = torch.from_numpy(start.copy())
    for i, t in enumerate(scheduler.timesteps):
        prediction = torch.from_numpy(network(scale(sample, i).numpy(), sigmas[i]))
        sample = scheduler.step(prediction, t, sample, **more).prev_sample
    return sample.numpy()


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_euler_is_flow_match_euler(shift):
    schedule, start = FlowSchedule(shift), noise_of(0)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / 12, 12).tolist())
    np.testing.assert_allclose(scheduler.sigmas.numpy(), schedule.sigmas(12), atol=1e-6)
    reference = theirs(scheduler, schedule.sigmas(12), start)
    np.testing.assert_allclose(ours(euler, schedule.sigmas(12), start, "flow", straight), reference, atol=1e-5)


@pytest.mark.parametrize("steps", [4, 12, 20])
def test_dpmpp_2m_is_dpm_solver_multistep_on_flow_sigmas(steps):
    scheduler = diffusers.DPMSolverMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=2.0, final_sigmas_type="zero"
    )
    scheduler.set_timesteps(steps)
    sigmas, start = scheduler.sigmas.numpy(), noise_of(1)
    reference = theirs(scheduler, sigmas, start)
    np.testing.assert_allclose(ours(dpmpp_2m, sigmas, start, "flow", straight), reference, atol=2e-5)
    # negative control: a sampler of first order is somewhere else
    assert np.abs(ours(euler, sigmas, start, "flow", straight) - reference).max() > 1e-3


def test_dpmpp_2m_is_dpm_solver_multistep_on_variance_preserving_sigmas():
    scheduler = diffusers.DPMSolverMultistepScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    scheduler.set_timesteps(10)
    ratio, start = scheduler.sigmas.numpy().astype(np.float64), noise_of(2)
    sigmas = (ratio / np.sqrt(1 + ratio**2)).astype(np.float32)
    reference = theirs(scheduler, sigmas, start)
    np.testing.assert_allclose(ours(dpmpp_2m, sigmas, start, "epsilon", preserving), reference, atol=5e-4)


def test_euler_is_ddim():
    schedule, start = scaled_linear_betas(), noise_of(3)
    scheduler = diffusers.DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(10)
    sigmas = schedule.sigmas(10)
    assert schedule.timesteps(sigmas[:-1]).round().tolist() == scheduler.timesteps.tolist()
    reference = theirs(scheduler, sigmas, start)
    np.testing.assert_allclose(ours(euler, sigmas, start, "epsilon", preserving), reference, atol=1e-3)


def test_euler_is_euler_discrete_where_variance_explodes():
    scheduler = diffusers.EulerDiscreteScheduler()
    scheduler.set_timesteps(10)
    sigmas, start = scheduler.sigmas.numpy(), noise_of(4) * scheduler.sigmas[0].numpy()
    reference = theirs(scheduler, sigmas, start)
    np.testing.assert_allclose(ours(euler, sigmas, start, "epsilon", exploding), reference, rtol=1e-4, atol=1e-3)


def test_euler_ancestral_is_euler_ancestral_discrete():
    scheduler = diffusers.EulerAncestralDiscreteScheduler()
    scheduler.set_timesteps(10)
    sigmas, start = scheduler.sigmas.numpy(), noise_of(5) * scheduler.sigmas[0].numpy()
    reference = theirs(scheduler, sigmas, start, generator=torch.Generator().manual_seed(7))
    generator = torch.Generator().manual_seed(7)
    noises = [torch.randn(SHAPE, generator=generator).numpy() for _ in range(10)]
    mine = ours(euler_ancestral, sigmas, start, "epsilon", exploding, noises)
    np.testing.assert_allclose(mine, reference, rtol=1e-3, atol=2e-3)


def test_euler_ancestral_is_sde_dpm_solver_on_flow_sigmas():
    scheduler = diffusers.DPMSolverMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", algorithm_type="sde-dpmsolver++", solver_order=1
    )
    scheduler.set_timesteps(8)
    sigmas, start = scheduler.sigmas.numpy(), noise_of(6)
    reference = theirs(scheduler, sigmas, start, generator=torch.Generator().manual_seed(8))
    generator = torch.Generator().manual_seed(8)
    noises = [torch.randn(SHAPE, generator=generator).numpy() for _ in range(8)]
    mine = ours(euler_ancestral, sigmas, start, "flow", straight, noises)
    np.testing.assert_allclose(mine, reference, atol=2e-4)


def flow_of_a_gaussian(sample, sigma, mean=0.5, deviation=0.3):
    """x0 expected of `sample` when x0 is normal: the one network whose path is known in closed form."""
    s = expand(sigma, sample)
    gain = deviation**2 * (1 - s) / ((1 - s) ** 2 * deviation**2 + s**2)
    return mean + gain * (sample - (1 - s) * mean)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("adams", 2)])
def test_order_of_convergence_on_a_gaussian(name, order):
    """Twice the steps: half the error at first order, about a quarter at second."""

    def error(steps):
        start, sigmas = noise_of(9).astype(np.float64), FlowSchedule().sigmas(steps).astype(np.float64)
        state = begin(start)
        for now, after in itertools.pairwise(sigmas):
            sigma, sigma_next = np.full(3, now), np.full(3, after)
            state = SAMPLERS[name](state, sigma, sigma_next, flow_of_a_gaussian(state.sample, sigma))
        return np.abs(state.sample - (0.5 + 0.3 * start)).max()

    ratio = error(32) / error(64)
    assert 2**order * 0.7 < ratio < 2**order * 1.5


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_each_sample_stands_where_it_stands(name):
    """A batch at three positions is three batches of one: the sampler of the engine's shared steps."""
    sampler, sigmas, x = SAMPLERS[name], FlowSchedule(2.0).sigmas(6), noise_of(10)
    denoised, noise, before = noise_of(11), noise_of(12), noise_of(13)
    at = np.array([0, 2, 5])
    sigma, sigma_next = sigmas[at], sigmas[at + 1]
    sigma_before = np.where(at > 0, sigmas[at - 1], 0).astype(np.float32)
    together = sampler(SamplerState(x, before, sigma_before), sigma, sigma_next, denoised, noise)
    for i in range(3):
        one = slice(i, i + 1)
        state = SamplerState(x[one], before[one], sigma_before[one])
        alone = sampler(state, sigma[one], sigma_next[one], denoised[one], noise[one])
        for a, b in zip(alone, together):
            np.testing.assert_array_equal(a[0], b[i])
    np.testing.assert_allclose(together.sample[2], denoised[2], atol=1e-5)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_numpy_and_torch_agree_and_nothing_is_written_over(name):
    arrays = [noise_of(i) for i in range(4)] + [
        np.array(v, np.float32) for v in ([0, 1, 0.9], [1, 0.8, 0.5], [0.8, 0, 0.2])
    ]
    x, before, denoised, noise, sigma_before, sigma, sigma_next = arrays
    kept = [a.copy() for a in arrays]
    mine = SAMPLERS[name](SamplerState(x, before, sigma_before), sigma, sigma_next, denoised, noise)
    for a, b in zip(arrays, kept):
        np.testing.assert_array_equal(a, b)
    x, before, denoised, noise, sigma_before, sigma, sigma_next = map(torch.from_numpy, arrays)
    torchs = SAMPLERS[name](SamplerState(x, before, sigma_before), sigma, sigma_next, denoised, noise)
    for a, b in zip(mine, torchs):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b.numpy(), atol=1e-5)


def test_what_cannot_be_is_said():
    state, one = begin(noise_of(0)), np.ones(3, np.float32)
    for name in STOCHASTIC:
        with pytest.raises(ValueError, match="needs noise"):
            SAMPLERS[name](state, one, one / 2, state.sample)
    with pytest.raises(ValueError, match="straight"):
        SAMPLERS["adams"](state, one, one / 2, state.sample, alpha=preserving)


def test_cosine_levels_fall_to_zero_and_tell_their_time():
    schedule = CosineSchedule()
    sigmas = schedule.sigmas(8)
    assert (np.diff(sigmas) < 0).all()
    assert sigmas[-1] == 0
    np.testing.assert_allclose(schedule.timesteps(sigmas), np.linspace(0.999, 0, 9), atol=1e-3)
