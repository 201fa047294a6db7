"""Why a schedule is not legal.

ScheduleError          schedule.error
├── CronFieldError     schedule.cron       one field of the expression is wrong; facts: field, value
├── NeverFiresError    schedule.never      legal, but no such day exists
└── TimezoneError      schedule.timezone   no such time zone
"""

from flowstudio.errors import FlowStudioError


class ScheduleError(FlowStudioError):
    code = "schedule.error"


class CronFieldError(ScheduleError):
    code = "schedule.cron"


class NeverFiresError(ScheduleError):
    code = "schedule.never"


class TimezoneError(ScheduleError):
    code = "schedule.timezone"
