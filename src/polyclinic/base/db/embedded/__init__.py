"""A private PostgreSQL server from the programs in a wheel, for one machine.

The pieces, in the order in which a start meets them: ``lease`` (who may start and who stops),
``account`` (PostgreSQL refuses to run as root), ``place`` (where everything lies), ``programs``
(which PostgreSQL), ``initialize`` (the first start), ``postmaster`` (the process), ``server``
(the whole). Why the wheel's own launcher is not used: docs/explanation/embedded-postgresql.md.
"""
