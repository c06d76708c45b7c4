# %% [markdown]
# # Compare architectures and payloads
#
# Is a difference between two sweeps real, and how large is it? Every draw of one curve is compared
# with every draw of the other: if zero is outside the 90% interval of their ratio, the
# difference is real.

# %%
from dataclasses import replace

import tuner

x86 = tuner.load_sweep("../examples/sweeps/mixed.jsonl")

# %% [markdown]
# ## x86_64 and arm64
#
# On AWS you would sweep both builds and compare the two files. This repository has no sweep of an
# arm64 machine, so this shows what can be said without one: what arm64's *prices* alone
# change if the durations are the same.

# %%
arm = replace(x86, function=replace(x86.function, architecture="arm64"))
found = tuner.compare(x86, arm)
found

# %% [markdown]
# Both sides rest on the same few samples, and a comparison does not know that: it takes them for
# two sweeps, each with its own luck, and is no surer than two such sweeps would be.

# %%
tuner.plot(found)

# %% [markdown]
# ## Payloads
#
# The queue worker was swept with several classes of events. Each has its own curve; the answer
# weighs them by their share of the traffic.

# %%
worker = tuner.load_sweep("../examples/sweeps/queue-worker.jsonl")
frame = worker.to_frame()
names = [payload.name for payload in worker.plan.payloads]
sizes = sorted(frame.memory_mb.unique().tolist())
curves = {name: tuner.fit_curve(worker, name) for name in names}
print(f"{'':24}" + "".join(f"{size:>9} MB" for size in sizes))
for name, curve in curves.items():
    print(f"{name[:24]:24}" + "".join(f"{mean:9.1f} ms" for mean in curve.mean_ms(sizes)))

# %%
answer = tuner.recommend(worker)
answer

# %%
tuner.plot(worker, answer)
