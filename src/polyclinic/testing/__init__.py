"""The test kit that ships with Polyclinic: fixtures, factories, fakes for what lies outside."""
