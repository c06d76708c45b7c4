# %% [markdown]
# # Break-even for a traffic profile
#
# At what traffic is a function cheaper elsewhere? That depends on the shape of the traffic as
# much as on its volume: Lambda is billed for what comes in, a fleet for its capacity.

# %%
import math

import tuner

sweep = tuner.load_sweep("../examples/sweeps/mixed.jsonl")

# %% [markdown]
# ## A steady stream, and a day with a peak
#
# The profile below is an assumption, as yours would be a measurement: a quiet night, a peak in the
# evening. `tuner break-even --traffic traffic.csv` reads such a profile from a file.

# %%
hours = [1 + 0.9 * math.sin((hour - 13) / 24 * 2 * math.pi) for hour in range(24)]
mean = sum(hours) / len(hours)
shape = tuple(hour / mean for hour in hours)
for hour in range(0, 24, 3):
    print(f"{hour:02}:00  {'#' * round(20 * shape[hour])}")

# %%
RATE_PER_S = 200.0
profiles = {
    "steady": tuner.Traffic(RATE_PER_S, peak_ratio=1.0),
    "peak three times the mean": tuner.Traffic(RATE_PER_S),
    "by hour, the day above": tuner.Traffic(RATE_PER_S, peak_ratio=1.0, shape=shape),
}
answers = {
    name: tuner.break_even(sweep, tuner.Terms(traffic=traffic, trigger="queue"))
    for name, traffic in profiles.items()
}
for name, found in answers.items():
    lowest = found.break_even_rate_per_s
    print(f"{name:26} {found.verdict:12} cheaper elsewhere above", end=" ")
    print("no rate" if lowest is None else f"{lowest:.3g} requests/s")

# %% [markdown]
# ## What a month costs

# %%
found = answers["peak three times the mean"]
found

# %%
tuner.plot(found)

# %% [markdown]
# ## What the verdict rests on

# %%
for finding in found.findings:
    print("·", finding.message)
