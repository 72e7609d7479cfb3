"""Errors of the database, each one clear line: what, where, what to do.

* DatabaseError
  x DatabaseUnavailable     it cannot be reached or started
  x DatabaseTooOld          PostgreSQL is older than 15
  x DatabaseMisconfigured   a URL or a role is not what it must be
  x DatabaseBusy            no connection came free in time
  x MigrationError          a migration failed or was changed after it ran
    - DatabaseTooNew        the database was migrated by a later Polyclinic
"""


class DatabaseError(Exception):
    """Something about the database that its keeper has to put right.

    The text is one line and holds no password.
    """

    def __init__(self, *, what: str, remedy: str) -> None:
        self.what = " ".join(what.split()).rstrip(".")
        self.remedy = " ".join(remedy.split()).rstrip(".")
        super().__init__(f"{self.what}. {self.remedy}.")


class DatabaseUnavailable(DatabaseError):
    """PostgreSQL cannot be reached or started."""


class DatabaseTooOld(DatabaseError):
    """PostgreSQL is older than the oldest release that Polyclinic runs on."""


class DatabaseMisconfigured(DatabaseError):
    """A URL, a role or a directory is not what it must be."""


class DatabaseBusy(DatabaseError):
    """No connection came free in time; the request is answered with 503."""


class MigrationError(DatabaseError):
    """A migration failed, or was changed after it ran."""


class DatabaseTooNew(MigrationError):
    """The database was migrated by a later version of Polyclinic."""
