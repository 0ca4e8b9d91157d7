"""The machines of a lab: one protocol, and who keeps it."""

from lab.machines.protocol import Machines, PowerSwitch, State

__all__ = ["Machines", "PowerSwitch", "State"]
