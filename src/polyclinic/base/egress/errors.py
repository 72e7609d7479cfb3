"""Why a request to another server has no answer.

* EgressError
  x NotPermitted   nothing was sent: the address is not one that the owner allows
  x Unreachable    no such name, nobody listens, or its certificate is not right
  x TooSlow        a time limit passed
  x TooLarge       the answer is longer than the limit
  x BadAnswer      the answer is not HTTP, or was cut off

The texts name hosts and never a path, a query or a header: those may hold what is secret.
"""


class EgressError(Exception):
    """A request to another server has no answer."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or type(self).__doc__)


class NotPermitted(EgressError):
    """This installation does not send requests there; POLYCLINIC_EGRESS_ALLOW says where to."""


class Unreachable(EgressError):
    """The other server cannot be reached."""


class TooSlow(EgressError):
    """The other server took too long."""


class TooLarge(EgressError):
    """The other server's answer is longer than this installation takes."""


class BadAnswer(EgressError):
    """The other server's answer is not whole, or not HTTP."""
