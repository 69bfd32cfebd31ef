"""The nightly run as a Prefect server's schedule starts it: `gongkai serve` with PREFECT_API_URL, or flows/deploy/prefect.yaml."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, State
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.states import Completed

from extract.home import Home
from flows import serve
from flows.night import run_night
from flows.options import environment
from flows.schedule import Schedule
from flows.settings import SettingsError, load_settings


@flow(name="scheduled", persist_result=False)
def scheduled(home: str | None = None, sources: str | None = None) -> State[None]:
    """One night on a Prefect server; what is left out comes from the settings of the process.

    Raises what `run_night` raises, and SettingsError: the flow run has failed then.
    """
    place = Home(Path(home).absolute() if home else load_settings().home.absolute())
    with environment({"GONGKAI_HOME": str(place.root)}):
        settings = load_settings()
        registry = Path(sources) if sources else settings.sources
        if registry is None:
            raise SettingsError("no registry: set GONGKAI_SOURCES or the parameter sources")
        due = flow_run.scheduled_start_time
        if due and datetime.now(UTC) - due > serve.LATE:
            more = serve.MADE_UP if settings.catch_up else serve.LEFT_OUT
            serve.tell_missed(place, due, Schedule(settings.schedule, settings.timezone), more)
            if not settings.catch_up:
                return Completed(name="Missed", message=f"was due at {due}")
        outcome = run_night(place, registry, [], [], refetch=False, reparse=False)
    return Completed(message=f"run {outcome.run_id}: {outcome.status}, {outcome.failures} failures")


def serve_on_server(home: Home, sources: Path, schedule: Schedule) -> None:
    """Keep a deployment with this schedule on the server of PREFECT_API_URL, and run what it starts; at most one at once."""
    scheduled.serve(
        name="nightly",
        schedules=[Cron(schedule.cron, timezone=schedule.timezone)],
        parameters={"home": str(home.root), "sources": str(sources)},
        global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        limit=1,
        pause_on_shutdown=False,
        print_starting_message=False,
    )
