"""Sends one invocation with all that goes with it; runs in the sweep's worker threads."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import HookError, LostReplyError, ReportLineError
from tuner.logs import parse_report

if TYPE_CHECKING:
    from tuner.model.plan import SweepPlan
    from tuner.model.reply import InvokeReply
    from tuner.sweep.bodies import Bodies
    from tuner.sweep.hooks import Hooks
    from tuner.sweep.invoker import Invoker
    from tuner.sweep.workers import Call


@dataclass(frozen=True, slots=True)
class Sender:
    """Knows what to invoke, and what the user wants done around it."""

    invoker: Invoker
    function_name: str
    timeout_s: int
    bodies: Bodies
    plan: SweepPlan
    hooks: Hooks

    def send(self, call: Call) -> InvokeReply:
        """Invoke once. Raises HookError before anything was sent, and what `Invoker` raises."""
        body = self.bodies.body(call.trial.payload, call.event_index)
        if self.plan.keep_payloads:
            call.body = body
        if not self.hooks.around_each:
            return self._invoke(call, body)
        facts = self._facts(call)
        self.hooks.run_before(facts, body)
        outcome = "error"
        try:
            reply = self._invoke(call, body)
            outcome = "success" if reply.function_error is None else "function_error"
        except LostReplyError:
            outcome = "lost_reply"
            raise
        finally:
            try:
                self.hooks.run_after({**facts, "outcome": outcome}, body)
            except HookError as error:
                call.after_error = error
        return reply

    def _invoke(self, call: Call, body: bytes) -> InvokeReply:
        reply = self.invoker.invoke(
            self.function_name, call.version, body, timeout_s=self.timeout_s
        )
        if reply.request_id is None or _has_report(reply.log_tail):
            return reply
        log = self.invoker.find_log(self.function_name, reply.request_id)
        return reply if log is None else dataclasses.replace(reply, log_tail=log)

    def _facts(self, call: Call) -> dict[str, str]:
        return {
            **run_facts(self.plan, self.function_name),
            "version": call.version,
            "memory_mb": str(call.trial.memory_mb),
            "payload": call.trial.payload,
            "event": str(call.event_index),
        }


def run_facts(plan: SweepPlan, function_name: str) -> dict[str, str]:
    """What every command is told."""
    return {"function": function_name, "sweep": plan.sweep_id}


def _has_report(log: str) -> bool:
    try:
        parse_report(log)
    except ReportLineError:
        return False
    return True
