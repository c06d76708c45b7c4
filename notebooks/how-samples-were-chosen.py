# %% [markdown]
# # How the optimizer chose its samples
#
# A sweep spends its invocations where they change the decision. A saved sweep can be replayed: here
# the answer is asked for again after every reply, from what was known by then.

# %%
from dataclasses import replace

import tuner

sweep = tuner.load_sweep("../examples/sweeps/mixed.jsonl")
print(sweep.plan.method, "·", len(sweep.plan.sizes_mb), "sizes to choose from")

# %% [markdown]
# ## The order
#
# First a spread of sizes, to learn the curve's shape; then, batch by batch, the sizes that promise
# the largest drop in regret for their price.

# %%
ordered = sorted(sweep.invocations, key=lambda each: each.started_s)
for number, each in enumerate(ordered, start=1):
    kind = "cold" if each.cold_start else "warm"
    print(f"{number:3}  {each.started_s:5.1f} s  {each.memory_mb:5} MB  {kind}")

# %% [markdown]
# ## The answer as it grew
#
# The expected regret is what the answer would cost over the best size, on average over all that the
# curve may be. The sweep stops once it's below the tolerance (1%), or once the verdict is sure and
# what more could be gained isn't worth another invocation, as here.

# %%
for count in range(4, len(ordered) + 1):
    known = tuner.recommend(replace(sweep, invocations=tuple(ordered[:count])))
    choice = known.choice
    size = choice.memory_mb or choice.best_so_far_mb
    if size is None:
        print(f"{count:3}  {choice.verdict}")
        continue
    at = next(each for each in known.curve if each.memory_mb == size)
    regret = choice.expected_regret_ratio
    doubt = "" if regret is None else f"  regret {regret:.1%}"
    width = at.cost_usd_per_million.half_width_ratio
    print(f"{count:3}  {choice.verdict:13} {size:5} MB  cost ± {width:.0%}{doubt}")

# %% [markdown]
# ## Where they went
#
# The last panel has the order; the samples' colors show it in the others.

# %%
tuner.plot(sweep)
