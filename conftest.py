"""Everything that the tests share lies in the test kit."""

pytest_plugins = ["polyclinic.testing.plugin", "polyclinic.testing.clinic"]
