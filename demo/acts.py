"""Which function turns which kind of step into commands: one table over all desks."""

from demo import act_disasters, act_households, act_lists, act_setup, act_supply
from demo.naming import Acts

ACTS: Acts = {
    **act_setup.ACTS,
    **act_supply.ACTS,
    **act_households.ACTS,
    **act_lists.ACTS,
    **act_disasters.ACTS,
}
