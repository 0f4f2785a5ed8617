"""Power, width and size without simulation, where there is a closed form."""

from hlm.closed_forms.closed_form import ClosedForm, NoClosedForm, closed_form
from hlm.closed_forms.roots import effect_for_power, units_for_power, units_for_width

__all__ = [
    "ClosedForm",
    "NoClosedForm",
    "closed_form",
    "effect_for_power",
    "units_for_power",
    "units_for_width",
]
