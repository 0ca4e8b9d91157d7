"""The machines of a lab: one protocol, and who keeps it."""

from lab.machines.capabilities import Capability
from lab.machines.protocol import Machines, PowerSwitch, State

__all__ = ["Capability", "Machines", "PowerSwitch", "State"]
