# %% [markdown]
# # Explore a curve
#
# A saved sweep has every invocation. It gives the answer, the curve behind the answer, and
# the answer for another goal. Nothing here needs AWS.

# %%
import tuner

sweep = tuner.load_sweep("../examples/sweeps/mixed.jsonl")
answer = tuner.recommend(sweep)
answer

# %% [markdown]
# ## What was measured
#
# One row per invocation, in the order of the replies (with pandas installed).

# %%
frame = sweep.to_frame()
frame[["memory_mb", "cold_start", "duration_ms", "init_duration_ms", "cost_usd"]].head(8).round(6)

# %%
warm = frame[frame.warm_sample]
warm.groupby("memory_mb").duration_ms.agg(["count", "min", "mean", "max"]).round(1)

# %% [markdown]
# ## The answer as a picture

# %%
tuner.plot(sweep, answer)

# %% [markdown]
# ## The curve and its doubts
#
# A curve is a set of draws: each is a curve that the samples allow. Their mean is the
# estimate, their quantiles the 90% interval; at sizes that were not measured they lie further
# apart.

# %%
import numpy as np

curve = tuner.fit_curve(sweep)
sizes = [128, 192, 256, 512, 1024, 1536, 1769, 3008]
draws = curve.draws_ms(sizes)
low, high = np.quantile(draws, (0.05, 0.95), axis=0)
for size, mean, at_least, at_most in zip(sizes, curve.mean_ms(sizes), low, high):
    mark = "measured" if size in curve.measured_mb else ""
    print(f"{size:5} MB  {mean:7.1f} ms  ({at_least:.1f} – {at_most:.1f})  {mark}")

# %% [markdown]
# ## Another goal, another answer
#
# The goal decides what is best. With a limit on duration, the cheapest size within it is the
# answer.

# %%
for goal in ("cost", "speed", "balanced", tuner.Goal(max_duration_ms=250)):
    print(tuner.recommend(sweep, goal))

# %% [markdown]
# ## What speed costs
#
# The sizes that no other beats in both cost and duration, and the knee, after which paying more
# buys little.

# %%
by_size = {each.memory_mb: each for each in answer.curve}
for size in answer.tradeoff.front_mb[::3]:
    each = by_size[size]
    knee = "knee" if size == answer.tradeoff.knee_mb else ""
    print(
        f"{size:5} MB  {each.duration_ms.estimate:6.0f} ms"
        f"  ${each.cost_usd_per_million.estimate:5.2f} per million  {knee}"
    )
