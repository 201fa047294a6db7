"""Edits of how a plan's runs are treated: see PlanSettings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.changes import PlanChanged
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited
from flowstudio.plan.errors import BadEditError
from flowstudio.plan.model import Json, Plan
from flowstudio.plan.reading.parts import settings_from_json, settings_to_json

_TEXTS: Mapping[str, str] = {
    "runs_at_once": "Change how many runs go at once",
    "when_busy": "Change what a run does when others are under way",
    "error_plan": "Change the plan for failed runs",
    "after_crash": "Change what happens after a crash",
    "keep_runs": "Change how many runs are kept",
    "keep_days": "Change how long runs are kept",
}


@dataclass(frozen=True, slots=True)
class SetPlanSetting(Edit):
    """Sets one of the plan's settings by its name. value: as in the plan's document, None for the default."""

    name: ClassVar[str] = "set_plan_setting"
    codecs: ClassVar[Mapping[str, Codec]] = {"setting": codecs.TEXT, "value": codecs.JSON}
    setting: str
    value: Json

    def __post_init__(self) -> None:
        if self.setting not in _TEXTS:
            raise BadEditError(f"A plan has no setting “{self.setting}”.", fix=f"There are {', '.join(_TEXTS)}.")

    @property
    def text(self) -> str:
        return _TEXTS[self.setting]

    def apply(self, plan: Plan) -> Edited:
        """Raises DocumentError for a value the setting cannot have."""
        document = settings_to_json(plan.settings)
        before = document.pop(self.setting, None)
        if self.value is not None:
            document[self.setting] = self.value
        settings = settings_from_json(document, "settings")
        inverse = SetPlanSetting(self.setting, before)
        return Edited(replace(plan, settings=settings), inverse, (PlanChanged("settings"),))

    def merge_with(self, following: Edit) -> Edit | None:
        return following if isinstance(following, SetPlanSetting) and following.setting == self.setting else None
