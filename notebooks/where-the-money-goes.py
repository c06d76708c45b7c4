# %% [markdown]
# # Where the money goes
#
# Four weeks of logs of three functions. What does each cost, what moved that, which deployment was
# it, and what does a feature earn? The REPORT lines are real, recorded with the local Lambda; only
# their times are made up, so that four weeks took three minutes. Nothing here needs AWS.

# %%
import tuner

LOGS = "../examples/spend/logs"
found = tuner.spend(LOGS, region="eu-west-1")
found

# %% [markdown]
# ## The picture
#
# Cost a day above, and below it what one invocation costs, so that traffic doesn't hide a change of
# code. The thin lines are deployments: versions and memory sizes are in the logs themselves.

# %%
tuner.plot(found)

# %% [markdown]
# ## What moved it
#
# Each change of an invocation's cost has an interval, and the deployment that explains it, if one
# does. `checkout` waits for a service that became slower: no deployment of its own.

# %%
for change in found.changes:
    cause = change.cause.version if change.cause else "no deployment known"
    ratio, money = change.cost_usd_per_invocation_ratio, change.usd_per_month
    print(f"{change.at:%d %b %H:%M}  {change.function:11} {cause:22}", end=" ")
    print(f"{ratio.estimate:+.0%} ({ratio.low:+.0%} to {ratio.high:+.0%})", end="  ")
    print(f"{1e3 * money.estimate:+.2f} thousandths of a dollar a month")

# %% [markdown]
# Between a change's first hour and the hour at which the evidence sufficed lies how long it took to
# be found. With a few dozen invocations a day that's hours; with thousands it's one.

# %%
for change in found.changes:
    hours = (change.found_at - change.at).total_seconds() / 3600
    per_day = change.invocations_per_day_after
    print(f"{change.function:11} found after {hours:.0f} h, with {per_day:.0f} a day")

# %% [markdown]
# ## Traffic and price apart
#
# The last week less the first: what more invocations added, and what each one's cost did.

# %%
for each in found.movements:
    print(
        f"{each.key:11} {1e6 * (each.after_usd_per_day - each.before_usd_per_day):+7.2f} µ$ a day:"
        f" {1e6 * each.traffic_usd_per_day:+7.2f} by traffic,"
        f" {1e6 * each.price_usd_per_day:+7.2f} per invocation"
    )

# %% [markdown]
# ## By feature, with what it earns
#
# A tag says which feature a function belongs to, a table what the feature earned each day.

# %%
features = tuner.spend(
    LOGS,
    region="eu-west-1",
    by="tag:feature",
    tags="../examples/spend/tags.csv",
    revenue="../examples/spend/revenue.csv",
    deploys=("auto", "../examples/spend/deploys.csv"),
)
for each in features.revenue:
    growth = each.cost_growth_ratio
    print(f"{each.key:5} ${each.cost_usd:.5f} for ${each.revenue_usd:.2f}:", end=" ")
    print(f"{100 * each.cost_usd_per_revenue_usd:.2f} cents a dollar,", end=" ")
    print(f"{growth.estimate:+.0%} a month ({growth.low:+.0%} to {growth.high:+.0%})")

# %%
for finding in features.findings:
    print("·", finding.message)

# %% [markdown]
# ## As a table
#
# `to_dict()` is the object that `--json` prints.

# %%
import pandas as pd

days = pd.DataFrame(features.to_dict()["days"])
days.pivot(index="day", columns="key", values="cost_usd_per_million").round(3).head(10)
