# %% [markdown]
# # Tune the local examples live
#
# `tuner.tune` does the whole job: it starts a Lambda-compatible endpoint on this machine, runs the
# real handler under Lambda's CPU and memory limits, chooses its invocations, and answers. It needs
# `lambda-tuner[local]`, no account and no Docker. Figures depend on this machine and vary by
# run.

# %%
import tempfile
from pathlib import Path

import tuner

folder = Path(tempfile.mkdtemp())
template = Path("../examples/template.yaml")

# %% [markdown]
# ## A function that waits
#
# `confirm` sees the plan before anything is changed; without it the call itself agrees.

# %%
answer = tuner.tune(
    "io-wait",
    local_template=template,
    max_memory_mb=1024,
    state_dir=folder,
    out=folder / "io-wait.jsonl",
)
answer

# %% [markdown]
# ## A function that computes

# %%
busy = tuner.tune("mixed", local_template=template, state_dir=folder, out=folder / "mixed.jsonl")
busy

# %%
tuner.plot(tuner.load_sweep(folder / "mixed.jsonl"), busy)

# %% [markdown]
# ## Which gains more from memory
#
# Each at its largest size relative to its smallest: waiting stays the same, computing doesn't.

# %%
for each in (answer, busy):
    first, last = each.curve[0], each.curve[-1]
    ratio = first.duration_ms.estimate / last.duration_ms.estimate
    print(f"{each.function.name:8} {ratio:4.1f} × from {first.memory_mb} to {last.memory_mb} MB")

# %% [markdown]
# ## A function of your own
#
# A function that isn't on Lambda yet: `tuner.tune_callable` sends its source, with what it uses by
# name, and runs it in the same way.

# %%
import hashlib

ROUNDS = 60_000


def stretch(event):
    digest = event["password"].encode()
    for _ in range(ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest.hex()


own = tuner.tune_callable(
    stretch, {"password": "correct horse"}, state_dir=folder, max_memory_mb=2048
)
own
