"""The commands by which an operator keeps the platform, as those of modules are: data."""

from typing import Final

from polyclinic.app.audit import AUDIT
from polyclinic.app.policies import POLICY
from polyclinic.app.reindex import REINDEX_COMMAND
from polyclinic.kernel.module import Command

COMMANDS: Final[tuple[Command, ...]] = (AUDIT, POLICY, REINDEX_COMMAND)
