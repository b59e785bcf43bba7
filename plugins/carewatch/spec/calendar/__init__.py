"""The working calendar: opening hours, holidays with make-up workdays, the firm's own days, working hours."""

from carewatch.spec.calendar.model import CalendarSpec
from carewatch.spec.calendar.spans import Span
from carewatch.spec.calendar.work import OutsideCalendar, WorkCalendar

__all__ = ["CalendarSpec", "OutsideCalendar", "Span", "WorkCalendar"]
