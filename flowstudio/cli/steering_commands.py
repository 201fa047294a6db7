"""`flowstudio runs cancel`, `pause`, `resume` and more: runs under way, steered in the FlowStudio that serves them."""

import threading
from typing import Any

import click

from flowstudio.cli.context import USER, application
from flowstudio.cli.output import plain, sentence
from flowstudio.cli.run_command import FAILED, LOOK_S, read_input, wait_for_end
from flowstudio.cli.serving import NotServedError, Serving, serving_here
from flowstudio.engine.model import RunState
from flowstudio.settings import load_settings

ENDING_S = 10.0
"""How long `cancel` waits for the end."""
STEP = click.option("--step", "step_id", help="The step that is meant, when there are several.")
ITERATION = click.option("--iteration", help="Its iteration inside loops, as `runs show` lists it: 3.0.")
INPUT = click.option("--params", metavar="JSON|@FILE", help="Params that replace those of the step, as an object.")


@click.command("cancel")
@click.argument("run_id", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every run of the user.")
@USER
@click.pass_context
def cancel_run(context: click.Context, run_id: str | None, is_all: bool, user_id: str) -> None:
    """End a run, or all, at once. An interrupted run is cancelled even when nothing serves it."""
    if is_all == (run_id is not None):
        raise click.UsageError("Name a run, or give --all.")
    there = serving_here(load_settings(), user_id)
    if run_id is None:
        click.echo(f"Cancelled: {_served(there).cancel_all()}")
    elif there.is_any:
        there.steer(run_id, "cancel")
        _show(context, _ended(there, run_id), is_final=True)
    else:
        _cancel_here(context, user_id, run_id)


def _cancel_here(context: click.Context, user_id: str, run_id: str) -> None:
    with application(context) as running:
        if not running.services.runs.cancel(user_id, run_id):
            state = running.services.runs.get(user_id, run_id).state
            raise _not_under_way(f"The run {run_id} is {state}", has_ended=state.is_final)
        ended = wait_for_end(running, user_id, run_id)
    click.echo(f"{ended.id}  {ended.state}  {ended.plan.name}")


@click.command("pause")
@click.argument("run_id")
@USER
@click.pass_context
def pause_run(context: click.Context, run_id: str, user_id: str) -> None:
    """Start no more steps of a run; those at work come to their end."""
    _show(context, _served(serving_here(load_settings(), user_id)).steer(run_id, "pause"))


@click.command("resume")
@click.argument("run_id")
@STEP
@ITERATION
@INPUT
@USER
@click.pass_context
def resume_run(
    context: click.Context,
    run_id: str,
    step_id: str | None,
    iteration: str | None,
    params: str | None,
    user_id: str,
) -> None:
    """Go on with a paused run; --step and --params change the input of a step it stands before."""
    if (step_id is None) != (params is None):
        raise click.UsageError("--step and --params go together.")
    edits = [] if step_id is None else [{"step_id": step_id, "iteration": iteration, "params": _object(params)}]
    _show(context, _served(serving_here(load_settings(), user_id)).steer(run_id, "resume", edits=edits))


@click.command("step-over")
@click.argument("run_id")
@STEP
@ITERATION
@INPUT
@USER
@click.pass_context
def step_over(
    context: click.Context,
    run_id: str,
    step_id: str | None,
    iteration: str | None,
    params: str | None,
    user_id: str,
) -> None:
    """Perform one step a paused run stands before, and pause before what comes next."""
    body = {"step_id": step_id, "iteration": iteration, "params": _object(params)}
    _show(context, _served(serving_here(load_settings(), user_id)).steer(run_id, "step-over", **body))


@click.command("call")
@click.argument("run_id")
@STEP
@ITERATION
@click.option("--body", metavar="JSON|@FILE", help="What the call brings.")
@USER
@click.pass_context
def call_run(
    context: click.Context, run_id: str, step_id: str | None, iteration: str | None, body: str | None, user_id: str
) -> None:
    """Call a run that waits for a call, so that it goes on."""
    there = _served(serving_here(load_settings(), user_id))
    address = there.run(run_id).get("resume_url")
    if address is None:
        raise NotServedError(f"No step of the run {run_id} waits for a call.")
    told = there.call(address, step_id, iteration, read_input(body, "--body"))
    click.echo(f"{told['message']} It was waited for by the step {told['step']}.")


def _served(there: Serving) -> Serving:
    if not there.is_any:
        raise _not_under_way("No FlowStudio serves this data folder")
    return there


def _not_under_way(what: str, *, has_ended: bool = False) -> NotServedError:
    if has_ended:
        return NotServedError(f"{what}: it has ended.")
    fix = "Runs that a stop or a crash left go on, and can be steered, with flowstudio serve or an open window."
    return NotServedError(f"{what}, so no run is under way that could be steered.", fix=fix)


def _ended(there: Serving, run_id: str) -> dict[str, Any]:
    """The run, ended if it ends in time."""
    pause, run = threading.Event(), there.run(run_id)
    for _ in range(int(ENDING_S / LOOK_S)):
        if RunState(run["state"]).is_final:
            break
        pause.wait(LOOK_S)
        run = there.run(run_id)
    return run


def _show(context: click.Context, run: dict[str, Any], *, is_final: bool = False) -> None:
    click.echo(plain("  ".join((run["id"], run["state"], run["plan_name"]))))
    for held in run.get("held") or []:
        place = ".".join(filter(None, (held["step_id"], held["iteration"])))
        click.echo(f"  {place}  {held['reason']}")
    if is_final and not RunState(run["state"]).is_final:
        click.echo(sentence("It has not ended yet.", "It may be under way in a process that serves no API."), err=True)
        context.exit(FAILED)


def _object(params: str | None) -> Any:
    given = {} if params is None else read_input(params, "--params")
    if not isinstance(given, dict):
        raise click.UsageError("--params takes an object.")
    return given
